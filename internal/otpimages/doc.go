// Package otpimages makes the container images of the real thing: OTP 23, 25, 27 and
// 29, applications that are built on it, a machine with systemd, and one with wine. The command
// docker/otp-images is its front.
//
// An image of OTP is pulled if a registry answers within seconds; that is asked once.
// Else, and for the others always, it is made from Debian's suites by
// mmdebstrap, as root, and imported. What is made is tagged with a hash over its
// recipe, so that it is made once, and again when the recipe changes; the tag
// goepmd-otp:NAME leads to the newest. Before an image gets its tags a container
// of it has compiled a module, and told its OTP and ERTS.
//
// A recipe names the versions to which the suite's scenarios were played. What comes of a
// registry, or of a suite of Debian that is not released, must be one of them: else the
// image is not made, and the error says what came and what to do. A released suite gets
// security updates alone, of which the progress tells; whether they change a behaviour, the
// suite shows.
//
// Debian's mirror is the one that this machine's own apt sources name, or
// GOEPMD_DEBIAN_MIRROR.
package otpimages
