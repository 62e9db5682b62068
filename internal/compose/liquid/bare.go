package liquid

// Bare lists the variables from outside that the template writes as they are, each once:
// without a filter that stands in for what is empty, and not within a condition that asks
// for them. A reader whom we know nothing of sees a gap there.
func (t *Template) Bare() []string {
	b := bareness{found: map[string]bool{}}
	b.walk(t.nodes, nil)
	var names []string
	for _, v := range t.variables {
		if b.found[v.Name] {
			names = append(names, v.Name)
			delete(b.found, v.Name)
		}
	}
	return names
}

// bareness walks through a template and gathers what is bare.
type bareness struct{ found map[string]bool }

// walk goes through nodes that are only there if something was asked of the variables.
func (b bareness) walk(nodes []node, asked []string) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *output:
			b.output(n.pipeline, asked)
		case *branches:
			b.branches(n, asked)
		case *loop:
			b.walk(n.body, asked)
			b.walk(n.otherwise, asked)
		}
	}
}

func (b bareness) output(p pipeline, asked []string) {
	for _, call := range p.filters {
		if call.standsIn {
			return
		}
	}
	for _, name := range asked {
		if name == p.operand.root {
			return
		}
	}
	b.found[p.operand.root] = true
}

func (b bareness) branches(n *branches, asked []string) {
	within := asked[:len(asked):len(asked)]
	for _, branch := range n.list {
		for _, c := range branch.conditions {
			within = append(within, c.left.root, c.right.root)
		}
	}
	for _, branch := range n.list {
		b.walk(branch.body, within)
	}
}
