// Package epmdhttp lets people and programs see into an [epmd.Server] over HTTP: a status
// page that moves by itself, the nodes as JSON, metrics for Prometheus, and the health
// checks of supervisors. It only shows; nothing can be changed through it.
//
//	mux.Handle("/epmd/", http.StripPrefix("/epmd", epmdhttp.New(server, epmdhttp.Options{})))
//
// It is named for what it puts the daemon on, as epmdtest is; "status" would be one of
// several things in it, and the name of a variable in half the programs that embed it.
//
//	/           the status page
//	/events     what it lives by: server-sent events
//	/nodes      the nodes and figures, as JSON: see Document
//	/metrics    for Prometheus: see package metrics
//	/healthz    200 if the server answers, else 503
//	/readyz     200 if it also listens, else 503
//
// An EPMD tells everybody the names of its nodes; this tells also where they come from and
// when. So give it an address that only those reach who may know: loopback, best.
// Requests that come in over loopback must name a host of this machine's, so that no page of
// somebody else's can read along by a name that it points to 127.0.0.1.
package epmdhttp
