%% The decision: by which transport to call a node, and where it listens.
-module(goepmd_choice).

-export([make/1]).

-export_type([reason/0]).

%% Why a node cannot be called now.
-type reason() :: not_found                                 % there is no such node
                | no_address                                % its host has none
                | timeout                                   % its host does not answer
                | silent                                    % nor did it lately
                | {no_transport, [goepmd_policy:offer()]}   % the policy wants none of these
                | term().

%% net_kernel waits for this on OTP 25 and 27, and would die of an exception. So it is
%% made by a process that may die and that gets so much time, all in all.
-spec make(Node :: string()) ->
          {ok, goepmd_policy:transport(), inet:ip_address(), inet:port_number(), Version :: non_neg_integer()} |
          {error, reason()}.
make(Node) ->
    try string:split(Node, "@") of
        [Name, Host] ->
            case goepmd_keeper:is_silent(Host) of
                true -> {error, silent};
                false -> bounded(Node, Name, Host, goepmd_config:parameter(timeout))
            end;
        _ ->
            {error, no_address}
    catch
        error:Reason -> {error, Reason}
    end.

bounded(Node, Name, Host, Timeout) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
        exit({choice, among(Node, Name, Host, goepmd_client:deadline(Timeout))})
    end),
    receive
        {'DOWN', Monitor, process, Pid, {choice, {error, timeout}}} ->
            silent(Host);
        {'DOWN', Monitor, process, Pid, {choice, Choice}} ->
            Choice;
        {'DOWN', Monitor, process, Pid, Reason} -> % an exception, which OTP has logged
            {error, Reason}
    after Timeout ->
        erlang:demonitor(Monitor, [flush]),
        exit(Pid, kill),
        silent(Host)
    end.

%% The next calls would wait as long.
silent(Host) ->
    goepmd_keeper:silence(Host, goepmd_config:parameter(silence)),
    {error, timeout}.

among(Node, Name, Host, Deadline) ->
    Own = goepmd_keeper:transports(),
    Ips = [{Family, Ip} || Family <- families(Own), {ok, Ip} <- [inet:getaddr(Host, Family)]],
    Wanted = [atom_to_binary(T, utf8) || T <- Own],
    Look = fun({_, Ip}) ->
        Epmd = {Ip, goepmd_config:epmd_port()},
        case goepmd_client:lookup(Epmd, unicode:characters_to_binary(Name), Wanted, Deadline) of
            {ok, Offers, Version} -> {ok, Ip, Offers, Version};
            Other -> Other
        end
    end,
    case goepmd_client:first(Look, Ips) of
        {ok, Asked, Offers, Version} ->
            Usable = usable(Own, Offers, Ips ++ [{any, Asked}]),
            case best(list_to_atom(Node), Usable) of
                {Transport, Ip, Port} -> {ok, Transport, Ip, Port, Version};
                none -> {error, {no_transport, Usable}}
            end;
        not_found ->
            {error, not_found};
        Error ->
            Error
    end.

%% The families in which the host's address is needed.
families(Own) ->
    case lists:usort([family(T) || T <- Own]) -- [any] of
        [] -> [inet];
        Families -> Families
    end.

family(Transport) ->
    case atom_to_list(Transport) of
        "inet6_" ++ _ -> inet6;
        "inet_" ++ _ -> inet;
        _ -> any
    end.

%% What can be called of what was offered.
usable(Own, Offers, Ips) ->
    [{T, Ip, Port} || {Offered, Port} <- Offers,
                      T <- meant(Offered, Own),
                      {_, Ip} <- [lists:keyfind(family(T), 1, Ips)],
                      T =/= uds orelse goepmd_policy:own(Ip) andalso goepmd_uds_dist:exists(Port)].

%% An empty transport is that of a node that was registered without one.
meant(<<>>, Own) -> [T || T <- Own, T =:= goepmd_config:parameter(assume)];
meant(Offered, Own) -> [T || T <- Own, atom_to_binary(T, utf8) =:= Offered].

best(Node, Offers) ->
    Order = case goepmd_config:parameter(policy) of
                {Module, Function} -> Module:Function(Node, Offers);
                Function when is_atom(Function) -> goepmd_policy:Function(Node, Offers);
                Transports -> Transports
            end,
    case [Offer || T <- Order, {Offered, _, _} = Offer <- Offers, T =:= Offered] of
        [Best | _] -> Best;
        [] -> none
    end.
