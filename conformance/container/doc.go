// Package container is a target of the conformance suite that runs an image's EPMD:
// one container for the target, in which each scenario gets a daemon of its own.
//
// The container is in the network of this machine, so the engine must run here, on
// Linux. The daemon listens on this machine's loopback addresses, and sees a peer
// that comes from another of its addresses as a remote one.
//
// There are two ways to start a daemon in a container that runs:
//
//   - A shell that is the container's first program reads commands from us and reports
//     each end; what the daemons print goes to a folder that both sides see. To start a
//     daemon, wait until it answers, and end it took 3 ms and 4 ms of the CPU.
//   - The engine's exec took 37 ms and 40 ms of the CPU for the same. It needs no
//     shell; the image's EPMD, on a port of its own, keeps the container alive.
//
// (OTP 27, 8 at once, two cores, the engine's own work included; alone, exec took
// 65 ms.) So the first is used where the image has a shell, and the second for
// one that holds nothing but its program. Only the first can set a limit of
// open files. Both end a daemon by SIGKILL; without a shell that takes root, and
// anybody else asks it to end, which it refuses while nodes are registered.
//
// Nothing stays behind: the end of a container ends all that runs in it and removes it.
// Where the first program is the shell, that happens as soon as our process is gone,
// however it went; else the container expires, see [Expire]. All have the label
// goepmd.conformance, with the number of our process.
//
// An engine makes the kernel track each connection over loopback for two minutes. When
// something else fills that table ("nf_conntrack: table full" in the kernel's log),
// connections hang, here too: run such things in a network of their own.
package container
