%% TCP: `-proto_dist goepmd_tcp`, registered as inet_tcp.
%%
%% It is inet_tcp_dist of OTP, except that goepmd knows which listener registers, and
%% says for which nodes it is used.
-module(goepmd_tcp_dist).

-export([transport/0, listen/2, select/1]).
-export([accept/1, accept_connection/5, setup/5, close/1, address/0, is_node_name/1]).
-export([setopts/2, getopts/2]).

transport() -> inet_tcp.
listen(Name, Host) -> goepmd:listening(inet_tcp, fun() -> inet_tcp_dist:listen(Name, Host) end).
select(Node) -> goepmd:select(Node, inet_tcp).

accept(Listener) -> inet_tcp_dist:accept(Listener).
accept_connection(Acceptor, Socket, Node, Allowed, Time) ->
    inet_tcp_dist:accept_connection(Acceptor, Socket, Node, Allowed, Time).
setup(Node, Type, MyNode, Names, Time) -> inet_tcp_dist:setup(Node, Type, MyNode, Names, Time).
close(Listener) -> inet_tcp_dist:close(Listener).
address() -> inet_tcp_dist:address().
is_node_name(Node) -> inet_tcp_dist:is_node_name(Node).
setopts(Listener, Options) -> inet_tcp_dist:setopts(Listener, Options).
getopts(Listener, Options) -> inet_tcp_dist:getopts(Listener, Options).
