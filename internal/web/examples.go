package web

import (
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

const (
	examplesPath       = "/examples"
	removeExamplesPath = "/examples/remove"
)

func (w *Web) exampleRoutes() []Route {
	return []Route{
		{Pattern: "POST " + examplesPath, Access: SignedIn, Serve: addExamples},
		{Pattern: "POST " + removeExamplesPath, Access: SignedIn, Serve: removeExamples},
	}
}

// addExamples is for those who did not want them at first.
func addExamples(r *request) error {
	there, err := r.App.HasExamples(r.in.Context(), r.actor)
	if err == nil && there {
		err = mailing.Fault(mailing.Conflict, "examples_there")
	}
	if err == nil {
		err = r.App.AddExamples(r.in.Context(), r.actor, r.Demo())
	}
	if err != nil {
		return err
	}
	return r.toExamples(r.actor)
}

// toExamples shows a person where the first mails will be. Who may not read the demo
// mailbox watches the run on the home page.
func (r *request) toExamples(account mailing.Account) error {
	r.actor = account
	path := "/"
	if r.readsDemo() {
		path = "/demo"
	}
	return r.done(path, r.Catalog.For(account.Lang).T("examples.added"))
}

func removeExamples(r *request) error {
	if err := r.App.RemoveExamples(r.in.Context(), r.actor); err != nil {
		return err
	}
	return r.done("/", r.T("examples.removed"))
}

// exampleState is what the demo mailbox says of examples.
type exampleState struct {
	there   bool // they can be removed
	offered bool // there is somebody to whom they can be given
}

func (r *request) exampleState() (s exampleState, err error) {
	if r.actor.ID == 0 {
		return s, nil
	}
	s.there, err = r.App.HasExamples(r.in.Context(), r.actor)
	s.offered = !s.there && r.Demo()
	return s, err
}

// fewMails reports whether the demo mailbox is looked at again by itself: as long as those of
// the examples are still coming in.
func (s exampleState) fewMails(list ui.List) bool {
	return s.there && list.Search() == "" && list.Total < soonThere
}

// soonThere is how many mails the examples are. Chosen: with as many one sees that it works.
const soonThere = 6
