// Package lab is the doctor's examination: broken and healthy machines, made of network
// namespaces, real nodes and real EPMDs, each with the true cause beside it, which the
// doctor's report must name first. There is nothing here but tests.
package lab
