package liquid

import (
	"errors"
	"math"
	"time"
)

// Sink takes what a template renders, in order.
type Sink interface {
	Static(index int) // Statics()[index]
	Dynamic(s string) // escaped for the template's context
}

// Vars answers for the variables that a template asks for. Values are nil,
// bool, string, int, int64, float64, time.Time, []any, []string,
// map[string]any and map[string]string; anything else is as if it were not
// there.
type Vars interface {
	Lookup(name string) any
}

// errTooLong stops a rendering; the node that meets it adds the line.
var errTooLong = errors.New("liquid: too long")

// state is one rendering.
type state struct {
	t       *Template
	vars    Vars
	now     time.Time
	sink    Sink
	assigns map[string]any
	frames  []frame
	steps   int
	bytes   int
	args    [maxArgs]any
}

// frame is a variable of a loop that runs.
type frame struct {
	name  string
	value any
	info  *loopInfo
}

// loopInfo is the variable forloop.
type loopInfo struct {
	index, length int64
}

func (i *loopInfo) part(key string) any {
	switch key {
	case "index":
		return i.index + 1
	case "index0":
		return i.index
	case "rindex":
		return i.length - i.index
	case "rindex0":
		return i.length - i.index - 1
	case "first":
		return i.index == 0
	case "last":
		return i.index == i.length-1
	case "length":
		return i.length
	}
	return nil
}

// Render renders into sink. Variables that are not there render as nothing.
// Now is what "now" and "today" mean to the date filter. The only error is
// liquid_too_long, and the sink may have been given a part by then.
func (t *Template) Render(vars Vars, now time.Time, sink Sink) error {
	s := state{t: t, vars: vars, now: now, sink: sink}
	err := s.run(t.nodes)
	if err == errTooLong {
		return fault("liquid_too_long", 1)
	}
	return err
}

func (s *state) run(nodes []node) error {
	for _, n := range nodes {
		var err error
		line := 0
		switch n := n.(type) {
		case *static:
			if err := s.charge(len(s.t.statics[n.index])); err != nil {
				return err // the line is that of the block around it
			}
			s.sink.Static(n.index)
		case *output:
			line = n.line
			err = s.output(n)
		case *branches:
			line = n.line
			err = s.branches(n)
		case *loop:
			line = n.line
			err = s.loop(n)
		case *assign:
			line = n.line
			err = s.assign(n)
		}
		if err == errTooLong {
			return fault("liquid_too_long", line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// charge counts one step that works on size bytes.
func (s *state) charge(size int) error {
	s.steps++
	s.bytes += size
	if s.steps > MaxSteps || s.bytes > MaxBytes {
		return errTooLong
	}
	return nil
}

func (s *state) output(n *output) error {
	v, err := s.pipeline(&n.pipeline)
	if err != nil {
		return err
	}
	var text string
	if n.escape.kind == escapeNone {
		text = clean(toText(v), s.t.header)
	} else {
		text = n.escape.write(v)
	}
	if err := s.charge(max(len(text), weight(v))); err != nil {
		return err
	}
	if text != "" {
		s.sink.Dynamic(text)
	}
	return nil
}

func (s *state) branches(n *branches) error {
	for i := range n.list {
		b := &n.list[i]
		holds := true
		if len(b.conditions) > 0 {
			var err error
			if holds, err = s.holds(b.conditions); err != nil {
				return err
			}
		}
		if holds != b.negated {
			return s.run(b.body)
		}
	}
	return nil
}

// holds evaluates conditions from the right, as Liquid does: there is no
// precedence of "and" over "or".
func (s *state) holds(list []condition) (bool, error) {
	result := false
	for i := len(list) - 1; i >= 0; i-- {
		c := &list[i]
		one, err := s.comparison(c)
		if err != nil {
			return false, err
		}
		switch c.join {
		case "and":
			result = one && result
		case "or":
			result = one || result
		default:
			result = one
		}
	}
	return result, nil
}

func (s *state) comparison(c *condition) (bool, error) {
	left := s.value(&c.left)
	if c.operator == "" {
		return truthy(left), s.charge(0)
	}
	right := s.value(&c.right)
	if err := s.charge(weight(left) + weight(right)); err != nil {
		return false, err
	}
	switch c.operator {
	case "==":
		return equal(left, right), nil
	case "!=", "<>":
		return !equal(left, right), nil
	case "contains":
		return contains(left, right), nil
	}
	order, ok := compare(left, right)
	if !ok {
		return false, nil
	}
	switch c.operator {
	case "<":
		return order < 0, nil
	case ">":
		return order > 0, nil
	case "<=":
		return order <= 0, nil
	}
	return order >= 0, nil
}

func (s *state) assign(n *assign) error {
	v, err := s.pipeline(&n.pipeline)
	if err != nil {
		return err
	}
	if s.assigns == nil {
		s.assigns = map[string]any{}
	}
	s.assigns[n.name] = v
	return s.charge(0)
}

// loop goes through a list or a range without making a list of the range.
func (s *state) loop(n *loop) error {
	if err := s.charge(0); err != nil {
		return err
	}
	var list []any
	var from, length int64
	if n.from == nil {
		list, _ = s.value(&n.list).([]any)
		length = int64(len(list))
	} else {
		from = toWhole(s.value(n.from))
		length = rangeLength(from, toWhole(s.value(n.to)))
	}
	first, length := s.window(n, length)
	if length == 0 {
		return s.run(n.otherwise)
	}
	info := &loopInfo{length: length}
	s.frames = append(s.frames, frame{name: n.variable, info: info})
	top := len(s.frames) - 1
	defer func() { s.frames = s.frames[:top] }()
	for ; info.index < length; info.index++ {
		if err := s.charge(0); err != nil {
			return err
		}
		at := first + info.index
		if n.reversed {
			at = first + length - 1 - info.index
		}
		if n.from == nil {
			s.frames[top].value = normal(list[at])
		} else {
			s.frames[top].value = from + at
		}
		if err := s.run(n.body); err != nil {
			return err
		}
	}
	return nil
}

// rangeLength counts from..to; so many that no rendering gets to the end stay
// one number.
func rangeLength(from, to int64) int64 {
	if to < from {
		return 0
	}
	if length := uint64(to) - uint64(from); length < math.MaxInt32 {
		return int64(length) + 1
	}
	return math.MaxInt32
}

// window applies offset and limit.
func (s *state) window(n *loop, length int64) (first, count int64) {
	if n.offset != nil {
		first = min(max(toWhole(s.value(n.offset)), 0), length)
	}
	count = length - first
	if n.limit != nil {
		count = min(max(toWhole(s.value(n.limit)), 0), count)
	}
	return first, count
}

// pipeline evaluates an operand and its filters.
func (s *state) pipeline(p *pipeline) (any, error) {
	v := s.value(&p.operand)
	for i := range p.filters {
		call := &p.filters[i]
		args := s.args[:len(call.args)]
		size := weight(v)
		for j := range call.args {
			args[j] = s.value(&call.args[j])
			size += weight(args[j])
		}
		if err := s.charge(size); err != nil {
			return nil, err
		}
		var err error
		if v, err = call.filter.apply(s, v, args); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// value evaluates an operand.
func (s *state) value(o *operand) any {
	if o.root == "" {
		return o.literal
	}
	v := s.lookup(o.root)
	for i := range o.steps {
		if v == nil {
			return nil
		}
		st := &o.steps[i]
		if text, ok := v.(string); ok { // its characters may be counted
			s.bytes += len(text)
		}
		if st.index == nil {
			v = part(v, st.key)
			continue
		}
		index := s.value(st.index)
		s.bytes += weight(index)
		if list, ok := v.([]any); ok {
			v = at(list, toWhole(index))
		} else {
			v = part(v, toText(index))
		}
	}
	return v
}

// lookup finds a variable: of the innermost loop, assigned, from outside.
func (s *state) lookup(name string) any {
	for i := len(s.frames) - 1; i >= 0; i-- {
		if s.frames[i].name == name {
			return s.frames[i].value
		}
		if name == "forloop" {
			return s.frames[i].info
		}
	}
	if v, ok := s.assigns[name]; ok {
		return v
	}
	return normal(s.vars.Lookup(name))
}
