package main

const usage = `usage: epmd [OPTION ...]            run the port mapper
       epmd [-d] [-port N] COMMAND     ask the one that runs on this machine

Options
  -port N                  the port, instead of 4369 (or ERL_EPMD_PORT)
  -address LIST            listen on these IP addresses and on loopback only;
                           separated by commas (or ERL_EPMD_ADDRESS)
  -daemon                  run detached; return once it listens
  -relaxed_command_check   allow -stop, and -kill while nodes are registered
                           (or ERL_EPMD_RELAXED_COMMAND_CHECK, set to anything)
  -systemd                 serve the sockets that systemd passes, and have it keep
                           the connections of registered nodes
  -state FILE              keep names and creations in this file, so that they
                           survive the daemon
  -multi_transport         let a node have several transports under one name; with
                           -names and -dump: show them, if the daemon tells them
  -one_holder              let no other connection add a transport to a name
  -allow_lookup LIST       networks that may look nodes up, besides this machine;
                           as 10.1.0.0/16,fd00:1::/32; all networks unless given
  -allow_names LIST        networks that may list the nodes, likewise
  -allow_register LIST     networks that may register nodes; none unless given
  -allow_stop LIST         networks that may use -dump, -kill and -stop, likewise
  -taken_grace MS          the time for the holder of a name to end, before another
                           registration of it is refused; 10 unless given, 0 for none
  -exit_idle SECONDS       end when no node has been registered for so long
  -http ADDRESS            show a status page, and metrics, at http://ADDRESS/:
                           HOST:PORT, or PORT alone for loopback
  -d, -debug               log to standard error; remember 5 old names, not 1000
  -packet_timeout SECONDS  close connections that sent no request for so long;
                           60 unless given
  -delay_accept SECONDS    wait before each accept, to play a busy machine
  -delay_write SECONDS     wait before each reply, likewise

Commands, last on the line
  -names                   list the registered nodes
  -started                 exit with 0 if one runs, else with 1; print nothing
  -dump                    list registered nodes and remembered names
  -kill                    end it, if no node is registered (or it is relaxed)
  -stop NAME               unregister a node by force, if it is relaxed
  -upgrade                 have it start its program anew and hand everything over
  -version                 print this program's version
`
