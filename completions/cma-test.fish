function __cma-test_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __cma-test_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __cma-test_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __cma-test_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __cma-test_parse_tokens -S
    set -l unparsed_tokens (__cma-test_tokens -pc)
    switch $unparsed_tokens[1]
    case 'cma-test'
        __cma-test_parse_subcommand 0 'version' 'h/help'
        switch $unparsed_tokens[1]
        case 'status'
            __cma-test_parse_subcommand 0 'root=' 'json' 'version' 'h/help'
        case 'configure'
            __cma-test_parse_subcommand 0 'n/dry-run' 'no-cache' 'root=' 'json' 'version' 'h/help'
        case 'reserve'
            __cma-test_parse_subcommand 1 'remove' 'n/dry-run' 'root=' 'json' 'version' 'h/help'
        case 'areas'
            __cma-test_parse_subcommand 0 'area=' 'largest' 'json' 'no-load' 'wait' 'version' 'h/help'
        case 'run'
            __cma-test_parse_subcommand 0 'area=' 'filter=' 'list' 'seed=' 'format=' 'timeout=' 'autopkgtest' 'no-load' 'wait' 'version' 'h/help'
        case 'bench'
            __cma-test_parse_subcommand 0 'area=' 'size=' 'align=' 'threads=' 'hold=' 'every=' 'count=' 'duration=' 'rounds=' 'warm-up=' 'load=+' 'load-folder=' 'profile=' 'seed=' 'stop-above=' 'baseline=' 'format=' 'o/output=' 'no-load' 'wait' 'version' 'h/help'
        case 'compare'
            __cma-test_parse_subcommand -r 1 'with=+' 'by=' 'level=' 'threshold=' 'detect=' 'force' 'format=' 'version' 'h/help'
        case 'report'
            __cma-test_parse_subcommand -r 1 'baseline=+' 'format=' 'machines=' 'origin=' 'build=' 'o/output=' 'version' 'h/help'
        case 'map'
            __cma-test_parse_subcommand 0 'area=' 'format=' 'json' 'width=' 'watch=' 'no-load' 'wait' 'version' 'h/help'
        case 'explain'
            __cma-test_parse_subcommand -r 1 'area=' 'json' 'no-load' 'wait' 'version' 'h/help'
        case 'help'
            __cma-test_parse_subcommand -r 1 'version'
        end
    end
end

function __cma-test_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __cma-test_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __cma-test_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __cma-test_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__cma-test_tokens -p)
    if test -z "$(__cma-test_tokens -t)"
        set -l index (count (__cma-test_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'cma-test' -f
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'status' -d 'Tell whether \'modprobe cmatest\' would work now, and if not, why.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'configure' -d 'Resolve the kernel\'s symbol addresses and write the options for \'modprobe cmatest\'.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'reserve' -d 'Reserve memory for CMA from the next boot on.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'areas' -d 'List the areas that this kernel has reserved for CMA.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'run' -d 'Test the allocator: every case on one area, or some of them.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'bench' -d 'Measure how fast, and how surely, the kernel allocates from an area.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'compare' -d 'Compare results of \'cma-test bench\', and tell whether allocation became slower.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'report' -d 'Make a page, or a table, of results of \'cma-test bench\', \'run\', \'map\' and \'explain\'.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'map' -d 'Show who has the pages of an area.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'explain' -d 'Say whether a set of blocks fits into an area, and who is in the way if not.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test status" root' -l 'root' -d 'Look at a copied tree instead of the running machine.' -rfa '(__cma-test_complete_directories)'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test status" json' -l 'json' -d 'Print the result as JSON on standard output.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test status" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test status" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test configure" dry-run n' -s 'n' -l 'dry-run' -d 'Print what would be written, and write nothing.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test configure" no-cache' -l 'no-cache' -d 'Look the symbols up anew, and ignore what an earlier boot of this kernel has kept.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test configure" root' -l 'root' -d 'Work on a copied tree instead of the running machine.' -rfa '(__cma-test_complete_directories)'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test configure" json' -l 'json' -d 'Print the result, or the error, as JSON on standard output.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test configure" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test configure" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test reserve" remove' -l 'remove' -d 'Take the reservation back.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test reserve" dry-run n' -s 'n' -l 'dry-run' -d 'Print what would be written, and write nothing.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test reserve" root' -l 'root' -d 'Work on a copied tree instead of the running machine; update-grub is not run.' -rfa '(__cma-test_complete_directories)'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test reserve" json' -l 'json' -d 'Print the result, or the error, as JSON on standard output.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test reserve" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test reserve" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test areas" area' -l 'area' -d 'Only this area, by its name or index, with its largest block.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test areas" largest' -l 'largest' -d 'Search for the largest block of every area; moves memory of others for a moment.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test areas" json' -l 'json' -d 'Print the result, or the error, as JSON on standard output.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test areas" no-load' -l 'no-load' -d 'Use the module only if it is loaded already.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test areas" wait' -l 'wait' -d 'Wait while another process has the device.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test areas" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test areas" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" area' -l 'area' -d 'The area, by its name or index in \'cma-test areas\'.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" filter' -l 'filter' -d 'Only the cases whose names match.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" list' -l 'list' -d 'List the cases, and run none.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" seed' -l 'seed' -d 'Repeat the random choices of an earlier run.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" format' -l 'format' -d 'The form of the report.' -rfka 'text ktap tap json junit'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" timeout' -l 'timeout' -d 'End the run as failed after that time.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" autopkgtest' -l 'autopkgtest' -d 'Exit with 77 instead of 4 if no case can run.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" no-load' -l 'no-load' -d 'Use the module only if it is loaded already.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" wait' -l 'wait' -d 'Wait while another process has the device.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test run" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" area' -l 'area' -d 'The area, by its name or index in \'cma-test areas\'.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" size' -l 'size' -d 'Sizes of a block, as 16p for pages, 64K or 1M (default: 1p,16p,256p).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" align' -l 'align' -d 'Alignments of a block, as sizes (default: 1p).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" threads' -l 'threads' -d 'Numbers of threads (default: 1).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" hold' -l 'hold' -d 'Blocks that each thread keeps before it releases the oldest (default: 0).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" every' -l 'every' -d 'Time from one intended start to the next; times count from there, too.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" count' -l 'count' -d 'Allocations of a round of a cell (default: 100, unless there is a time).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" duration' -l 'duration' -d 'Time of the whole measurement, as 10s or 72h.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" rounds' -l 'rounds' -d 'Rounds of each cell (default: 9).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" warm-up' -l 'warm-up' -d 'Allocations before each round that do not count (default: 8).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench"' -l 'load' -d 'What keeps memory busy meanwhile: none, anon, cache, dirty, pinned, churn or \'command:WORDS\'; can be given again.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" load-folder' -l 'load-folder' -d 'Where loads keep their files: on a disk.' -rfa '(__cma-test_complete_directories)'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" profile' -l 'profile' -d 'Settings from a profile: quick, gcma, large-release, camera, or a file.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" seed' -l 'seed' -d 'Repeat the order of an earlier measurement.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" stop-above' -l 'stop-above' -d 'End at the first allocation that takes longer.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" baseline' -l 'baseline' -d 'Compare with this earlier result, and exit as \'compare\' does.' -rfa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'json\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" format' -l 'format' -d 'The form of the result.' -rfka 'text json csv hgrm'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" o output' -l 'output' -s 'o' -d 'Keep the result, as JSON, in this file, which is written as the measurement goes.' -rfa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'json\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" no-load' -l 'no-load' -d 'Use the module only if it is loaded already.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" wait' -l 'wait' -d 'Wait while another process has the device.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test bench" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test compare" -ge 1' -fa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'json\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare"' -l 'with' -d 'Files of the second result; \'--\' is the same.' -rfa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'json\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" by' -l 'by' -d 'What decides, of the times of each round: p50, p99 or max of allocations, the p50 of releases, or both p50 together (pair).' -rfka 'p50 p99 max release pair'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" level' -l 'level' -d 'The chance of a false alarm, in all cells together, as 0.05.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" threshold' -l 'threshold' -d 'Changes below so many percent never count; the noise of the first result may be more.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" detect' -l 'detect' -d 'A change of so many percent should be found if it is there: else \'4\'.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" force' -l 'force' -d 'Compare areas, or pages, of different sizes too, and times under different loads.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" format' -l 'format' -d 'The form of the comparison: text, json or junit.' -rfka 'text json junit'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test compare" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_positional "cma-test report" -ge 1' -fa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'json\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report"' -l 'baseline' -d 'Compare the results with this earlier one; again for more of its rounds.' -rfa '(for p in (string match -e -- \'*/\' (commandline -t);or printf \n)*.\'json\';printf %s\n $p;end;__fish_complete_directories (commandline -t) \'\')'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report" format' -l 'format' -d 'The form of the report.' -rfka 'html csv hgrm gnuplot kcidb'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report" machines' -l 'machines' -d 'What tells machines apart: the name of the host, or of the folder with its results.' -rfka 'host folder'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report" origin' -l 'origin' -d 'For kcidb: the name of your CI system, of lower-case letters, digits and \'_\'.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report" build' -l 'build' -d 'For kcidb: the build that was tested, as maestro:1234.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report" o output' -l 'output' -s 'o' -d 'The file to write; standard output if not given.' -rF
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test report" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" area' -l 'area' -d 'The area, by its name or index in \'cma-test areas\'.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" format' -l 'format' -d 'The form of the map: text, json or svg.' -rfka 'text json svg'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" json' -l 'json' -d 'Print the map, or the error, as JSON on standard output; the same as --format json.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" width' -l 'width' -d 'Cells in a row (default: the width of the terminal, and 64 for svg).' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" watch' -l 'watch' -d 'Make the map again each time that so much time has passed, as 2s, until Ctrl-C.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" no-load' -l 'no-load' -d 'Use the module only if it is loaded already.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" wait' -l 'wait' -d 'Wait while another process has the device.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test map" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test explain" area' -l 'area' -d 'The area, by its name or index in \'cma-test areas\'.' -rfka ''
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test explain" json' -l 'json' -d 'Print the explanation, or the error, as JSON on standard output.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test explain" no-load' -l 'no-load' -d 'Use the module only if it is loaded already.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test explain" wait' -l 'wait' -d 'Wait while another process has the device.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test explain" version' -l 'version' -d 'Show the version.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test explain" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'cma-test' -n '__cma-test_should_offer_completions_for_flags_or_options "cma-test help" version' -l 'version' -d 'Show the version.'
