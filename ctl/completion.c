/* completion.c -- nighctl completion: what the shells want to know. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

#define COMMANDS                                                                                   \
	"status explain check guard zone failback shift drain undrain federate join unjoin "       \
	"forget "                                                                                  \
	"plan diff get version completion help"

#define FLAGS                                                                                      \
	"--output --server --kubeconfig --context --namespace "                                    \
	"--kubefed-namespace --pods-namespace --type --client --resolver "                         \
	"--cluster --policy --to --over --curve --ttl-wait --start --undo "                        \
	"--dry-run --filename --federated-group --federated-version "                              \
	"--federation --delete-crd --contents --enable-types "                                     \
	"--cluster-kubeconfig --cluster-context --host-cluster-name "                              \
	"--secret-name --token-for --rotate --kubefed-compatible --keep "                          \
	"--orphan --remove --by-cluster --force --help"

/* Behind a command, where only some words fit. */
static const struct second {
	const char *command, *words;
} seconds[] = {{"zone", "status export reload notify"},
               {"federate", "enable disable"},
               {"guard", "release"},
               {"completion", "bash zsh fish"}};

static const char bash_text[] =
	"# nighctl for bash: source <(nighctl completion bash)\n"
	"_nighctl()\n"
	"{\n"
	"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t-o|--output|--server|--type|--client|--resolver|--kubeconfig|--context"
	"|-n|--namespace|--kubefed-namespace|--pods-namespace|--cluster|--policy|--to|--over|--"
	"curve|--ttl-wait|--start"
	"|-f|--filename|--federated-group|--federated-version|--federation|--cluster-kubeconfig"
	"|--cluster-context|--host-cluster-name|--secret-name|--token-for) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase $before in\n"
	"\t-o|--output) COMPREPLY=($(compgen -W 'table wide json yaml' -- \"$word\")); return ;;\n"
	"\t--type) COMPREPLY=($(compgen -W 'A AAAA CNAME HTTPS MX NS SRV SVCB TXT' -- \"$word\")); "
	"return ;;\n"
	"\t--curve) COMPREPLY=($(compgen -W 'linear smooth steps:10' -- \"$word\")); return ;;\n"
	"\t--kubeconfig|--cluster-kubeconfig|-f|--filename) COMPREPLY=($(compgen -f -- "
	"\"$word\")); "
	"return ;;\n"
	"\t--server|--client|--resolver|--context|-n|--namespace|--kubefed-namespace"
	"|--pods-namespace"
	"|--cluster|--policy|--to|--over|--ttl-wait|--start|--federated-group|--federated-version|-"
	"-federation"
	"|--cluster-context|--host-cluster-name|--secret-name|--token-for) COMPREPLY=(); "
	"return ;;\n"
	"\tesac\n"
	"\tcase $command,$word in\n"
	"\t*,-*) COMPREPLY=($(compgen -W '" FLAGS "' -- \"$word\")) ;;\n"
	"\t,*) COMPREPLY=($(compgen -W '" COMMANDS "' -- \"$word\")) ;;\n"
	"\tcheck,*) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
	"\tzone,*) COMPREPLY=($(compgen -W 'status export reload notify' -- \"$word\")) ;;\n"
	"\tfederate,*) COMPREPLY=($(compgen -W 'enable disable' -- \"$word\")) ;;\n"
	"\tguard,*) COMPREPLY=($(compgen -W 'release' -- \"$word\")) ;;\n"
	"\tcompletion,*) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")) ;;\n"
	"\tesac\n"
	"}\n"
	"complete -F _nighctl nighctl\n";

static const char zsh_text[] =
	"#compdef nighctl\n"
	"# nighctl for zsh: nighctl completion zsh > \"${fpath[1]}/_nighctl\"\n"
	"_nighctl()\n"
	"{\n"
	"\tlocal state line\n"
	"\t_arguments -C \\\n"
	"\t\t'(-o --output)'{-o,--output}'[form of the output]:form:(table wide json yaml)' \\\n"
	"\t\t'--server[address of nighd]:URL:' \\\n"
	"\t\t'--kubeconfig[API server and credential]:file:_files' \\\n"
	"\t\t'--context[context of the kubeconfig]:context:' \\\n"
	"\t\t'(-n --namespace)'{-n,--namespace}'[namespace of the object, or of "
	"KubeFed]:namespace:' "
	"\\\n"
	"\t\t'--kubefed-namespace[namespace of KubeFed]:namespace:' \\\n"
	"\t\t'--pods-namespace[namespace in which nighd runs]:namespace:' \\\n"
	"\t\t'--type[type of record]:type:(A AAAA CNAME HTTPS MX NS SRV SVCB TXT)' \\\n"
	"\t\t'--client[address or network of the client]:address:' \\\n"
	"\t\t'--resolver[address of the resolver]:address:' \\\n"
	"\t\t'--cluster[cluster that is meant]:cluster:' \\\n"
	"\t\t'--policy[traffic policy that is meant]:namespace/name:' \\\n"
	"\t\t'--to[share that it is to have]:share:(0% 20% 50% 100%)' \\\n"
	"\t\t'--over[how long it takes]:duration:' \\\n"
	"\t\t'--curve[how it goes]:curve:(linear smooth steps\\:10)' \\\n"
	"\t\t'--ttl-wait[how long caches keep answers]:duration:' \\\n"
	"\t\t'--start[when it begins]:time:' \\\n"
	"\t\t'--undo[back the way it came]' \\\n"
	"\t\t'--dry-run[say it, change nothing]' \\\n"
	"\t\t'(-f --filename)'{-f,--filename}'[file of objects]:file:_files' \\\n"
	"\t\t'--federated-group[group of federated kinds]:group:' \\\n"
	"\t\t'--federated-version[their version]:version:' \\\n"
	"\t\t'--federation[name and zone of a Federation v1]:NAME=ZONE:' \\\n"
	"\t\t'--delete-crd[the federated kind as well]' \\\n"
	"\t\t'--contents[all that is in the namespace]' \\\n"
	"\t\t'--enable-types[their types, too]' \\\n"
	"\t\t'--cluster-kubeconfig[API server and credential of the member]:file:_files' \\\n"
	"\t\t'--cluster-context[context of the member]:context:' \\\n"
	"\t\t'--host-cluster-name[how the host is called]:name:' \\\n"
	"\t\t'--secret-name[where its token is kept]:name:' \\\n"
	"\t\t'--token-for[how long its token is valid]:duration:' \\\n"
	"\t\t'--rotate[new tokens]' \\\n"
	"\t\t'--kubefed-compatible[as kubefedctl had it]' \\\n"
	"\t\t'--keep[objects stay as they are]' \\\n"
	"\t\t'--orphan[objects stay, without their label]' \\\n"
	"\t\t'--remove[objects are deleted]' \\\n"
	"\t\t'--by-cluster[as it is in each cluster]' \\\n"
	"\t\t'--force[all the same]' \\\n"
	"\t\t'1:command:(" COMMANDS ")' \\\n"
	"\t\t'*::argument:->argument'\n"
	"\tcase $line[1] in\n"
	"\tcheck) _files ;;\n"
	"\tzone) ((CURRENT > 1)) || compadd status export reload notify ;;\n"
	"\tfederate) ((CURRENT > 1)) || compadd enable disable ;;\n"
	"\tguard) ((CURRENT > 1)) || compadd release ;;\n"
	"\tcompletion) compadd bash zsh fish ;;\n"
	"\tesac\n"
	"}\n"
	"if [ \"$funcstack[1]\" = _nighctl ]; then _nighctl \"$@\"; else compdef _nighctl nighctl; "
	"fi\n";

static const char fish_text[] =
	"# nighctl for fish: nighctl completion fish | source\n"
	"set -l commands " COMMANDS "\n"
	"complete -c nighctl -f\n"
	"complete -c nighctl -n \"not __fish_seen_subcommand_from $commands\" -a \"$commands\"\n"
	"complete -c nighctl -n '__fish_seen_subcommand_from check' -F\n"
	"complete -c nighctl -n '__fish_seen_subcommand_from zone' -a 'status export reload "
	"notify'\n"
	"complete -c nighctl -n '__fish_seen_subcommand_from guard' -a release\n"
	"complete -c nighctl -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
	"complete -c nighctl -s o -l output -x -a 'table wide json yaml' -d 'form of the output'\n"
	"complete -c nighctl -l server -x -d 'address of nighd'\n"
	"complete -c nighctl -l kubeconfig -r -F -d 'API server and credential'\n"
	"complete -c nighctl -l context -x -d 'context of the kubeconfig'\n"
	"complete -c nighctl -s n -l namespace -x -d 'namespace of the object, or of KubeFed'\n"
	"complete -c nighctl -l kubefed-namespace -x -d 'namespace of KubeFed'\n"
	"complete -c nighctl -l pods-namespace -x -d 'namespace in which nighd runs'\n"
	"complete -c nighctl -l type -x -a 'A AAAA CNAME HTTPS MX NS SRV SVCB TXT' -d 'type of "
	"record'\n"
	"complete -c nighctl -l client -x -d 'address or network of the client'\n"
	"complete -c nighctl -l resolver -x -d 'address of the resolver'\n"
	"complete -c nighctl -l cluster -x -d 'cluster that is meant'\n"
	"complete -c nighctl -l policy -x -d 'traffic policy that is meant'\n"
	"complete -c nighctl -l to -x -d 'share that it is to have'\n"
	"complete -c nighctl -l over -x -d 'how long it takes'\n"
	"complete -c nighctl -l curve -x -a 'linear smooth steps:10' -d 'how it goes'\n"
	"complete -c nighctl -l ttl-wait -x -d 'how long caches keep answers'\n"
	"complete -c nighctl -l start -x -d 'when it begins'\n"
	"complete -c nighctl -l undo -d 'back the way it came'\n"
	"complete -c nighctl -l dry-run -d 'say it, change nothing'\n"
	"complete -c nighctl -n '__fish_seen_subcommand_from federate' -a 'enable disable'\n"
	"complete -c nighctl -s f -l filename -r -F -d 'file of objects'\n"
	"complete -c nighctl -l federated-group -x -d 'group of federated kinds'\n"
	"complete -c nighctl -l federated-version -x -d 'their version'\n"
	"complete -c nighctl -l federation -x -d 'NAME=ZONE of a Federation v1'\n"
	"complete -c nighctl -l delete-crd -d 'the federated kind as well'\n"
	"complete -c nighctl -l contents -d 'all that is in the namespace'\n"
	"complete -c nighctl -l enable-types -d 'their types, too'\n"
	"complete -c nighctl -l cluster-kubeconfig -r -F -d 'API server and credential of the "
	"member'\n"
	"complete -c nighctl -l cluster-context -x -d 'context of the member'\n"
	"complete -c nighctl -l host-cluster-name -x -d 'how the host is called'\n"
	"complete -c nighctl -l secret-name -x -d 'where its token is kept'\n"
	"complete -c nighctl -l token-for -x -d 'how long its token is valid'\n"
	"complete -c nighctl -l rotate -d 'new tokens'\n"
	"complete -c nighctl -l kubefed-compatible -d 'as kubefedctl had it'\n"
	"complete -c nighctl -l keep -d 'objects stay as they are'\n"
	"complete -c nighctl -l orphan -d 'objects stay, without their label'\n"
	"complete -c nighctl -l remove -d 'objects are deleted'\n"
	"complete -c nighctl -l by-cluster -d 'as it is in each cluster'\n"
	"complete -c nighctl -l force -d 'all the same'\n";

int completion_run(const struct command *c)
{
	static const struct {
		const char *shell, *text;
	} scripts[] = {{"bash", bash_text}, {"zsh", zsh_text}, {"fish", fish_text}};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (strcmp(c->args[0], scripts[i].shell) == 0) {
			fputs(scripts[i].text, stdout);
			return COMMAND_FINE;
		}
	command_fail(c, "completion is for bash, zsh or fish");
	return COMMAND_USAGE;
}

/* --- as kubectl_complete-nigh --- */

enum { NO_FILES = 4 }; /* of kubectl's directives */

static void print_words(const char *words, const char *begin)
{
	size_t begun = strlen(begin);

	while (*words) {
		size_t len = strcspn(words, " ");

		if (len >= begun && strncmp(words, begin, begun) == 0)
			printf("%.*s\n", (int)len, words);
		words += len + (words[len] == ' ');
	}
}

int completion_answer(size_t count, char *const *words)
{
	const char *last = count ? words[count - 1] : "";
	bool wants_file = false;

	if (*last == '-')
		print_words(FLAGS, last);
	else if (count <= 1)
		print_words(COMMANDS, last);
	for (size_t i = 0; *last != '-' && count == 2 && i < sizeof(seconds) / sizeof(seconds[0]);
	     i++)
		if (strcmp(words[0], seconds[i].command) == 0)
			print_words(seconds[i].words, last);
	if (count >= 2)
		wants_file = strcmp(words[0], "check") == 0 || strcmp(words[count - 2], "-f") == 0;
	printf(":%d\n", wants_file ? 0 : NO_FILES);
	return COMMAND_FINE;
}
