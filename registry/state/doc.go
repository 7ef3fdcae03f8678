// Package state is what one daemon leaves to the next, as bytes: the names with
// their creations, and where each connection stands. [Append] and [Decode] are for
// a whole state, handed over or kept in a file; a [Journal] is for one that must
// be right at any moment, however suddenly its writer ends.
//
// The bytes begin with a mark, a version and a checksum. An older version is
// read for ever; a newer one is refused with [ErrVersion], so that whoever has it can
// go on with what it was.
package state
