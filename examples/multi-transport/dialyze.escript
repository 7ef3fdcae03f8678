%% Checks the modules in src with dialyzer, and prints what it says; the status is 1 if
%% it says anything.
%%
%%   escript examples/multi-transport/dialyze.escript [FILE.erl ...]
%%
%% Dialyzer looks at what the modules call besides, no more: whole applications would
%% take minutes. Files are checked with them.
-mode(compile).

main(More) ->
    Here = filename:dirname(filename:absname(escript:script_name())),
    Sources = filelib:wildcard(filename:join([Here, "src", "*.erl"])) ++ More,
    Modules = [compiled(Source) || Source <- Sources],
    Own = [Module || {Module, _} <- Modules],
    Called = lists:usort(lists:append([calls(Beam) || {_, Beam} <- Modules])) -- Own,
    Dir = string:trim(os:cmd("mktemp -d")),
    Warnings = try
        Files = [begin
                     File = filename:join(Dir, atom_to_list(Module) ++ ".beam"),
                     ok = file:write_file(File, Beam),
                     File
                 end || {Module, Beam} <- Modules],
        Plt = filename:join(Dir, "plt"),
        _ = dialyzer:run([{analysis_type, plt_build}, {output_plt, Plt}, {files, [path(M) || M <- Called]}]),
        dialyzer:run([{init_plt, Plt}, {check_plt, false}, {files, Files},
                      {warnings, [unmatched_returns, underspecs]}])
    after
        file:del_dir_r(Dir)
    end,
    [io:put_chars(dialyzer:format_warning(Warning, fullpath)) || Warning <- Warnings],
    io:format("dialyzer: ~b modules, ~b warnings~n", [length(Modules), length(Warnings)]),
    halt(case Warnings of [] -> 0; _ -> 1 end).

compiled(Source) ->
    {ok, Module, Beam} = compile:file(Source, [binary, debug_info, warnings_as_errors, report]),
    {Module, Beam}.

calls(Beam) ->
    {ok, {_, [{imports, Imports}]}} = beam_lib:chunks(Beam, [imports]),
    [Module || {Module, _, _} <- Imports].

%% Modules that are always loaded have no place in the code path.
path(Module) ->
    File = atom_to_list(Module) ++ ".beam",
    case code:where_is_file(File) of
        non_existing -> filename:join([code:lib_dir(erts), "ebin", File]);
        Path -> Path
    end.
