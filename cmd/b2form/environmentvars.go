package main

// environmentVariableGroups lists every variable. A test compares it with what the program reads.
func environmentVariableGroups() []envGroup {
	return []envGroup{
		{"Account", accountVariables()},
		{"Configuration", configVariables()},
		{"What is asked and shown", promptAndDisplayVariables()},
		{"Pipelines", pipelineVariables()},
		{"State behind a server", stateServerVariables()},
		{"State in a database", databaseVariables()},
		{"Network and memory", networkVariables()},
	}
}

func accountVariables() []envVariable {
	return []envVariable{
		{"B2_APPLICATION_KEY_ID", "ID of the application key that b2form works with."},
		{"B2_APPLICATION_KEY", "The key itself, the secret half."},
		{"B2_APPLICATION_KEY_ID_FILE", "File that holds the ID and nothing else, where the variable is not set."},
		{"B2_APPLICATION_KEY_FILE", "The same for the key."},
		{"B2_PROFILE", "Profile of the b2 command, or rclone:REMOTE for a remote of rclone. -profile goes before."},
		{"B2_CREDENTIAL_COMMAND", "JSON array: a program that prints ID and key, and its arguments."},
		{"B2_ACCOUNT_INFO", "Account file of the b2 command, which is read last; left out, where that keeps it."},
		{"XDG_CONFIG_HOME", "Folder in which the b2 command and rclone keep theirs; left out, .config in the home folder."},
		{"RCLONE_CONFIG", "Configuration of rclone, for a profile of rclone:REMOTE."},
		{"APPDATA", "Where rclone keeps its configuration on Windows."},
		{"B2_ENDPOINT", "Realm name or root URL of the native API; left out, production. -endpoint goes before."},
		{"B2_ENVIRONMENT", "The same under the name that Backblaze's tools use; B2_ENDPOINT goes before."},
		{"B2_ACCOUNT_ID", "Old name of B2_APPLICATION_KEY_ID, with a warning; read where none of that and the files is set."},
		{"B2_ACCOUNT_KEY", "Old name of B2_APPLICATION_KEY, with a warning."},
		{"B2_USER_AGENT_APPEND", "Text that is added to the User-Agent of every request."},
	}
}

func configVariables() []envVariable {
	return []envVariable{
		{"B2FORM_VAR_NAME", "Value of the variable NAME. -var, -var-file and value files go before."},
		{"TF_VAR_NAME", "The same under Terraform's name; B2FORM_VAR_NAME goes before."},
		{"B2FORM_ROOT", "Folder below which files may be read, as -root, which goes before; left out, the git work tree."},
		{"B2FORM_POLICY", "Folders of policies, as -policy, with the separator of PATH between; those of -policy come in addition. " +
			"Relative ones count from before -chdir."},
		{"HOME", "The home folder: a git work tree there does not widen what may be read, and the b2 command and rclone keep their " +
			"files there."},
		{"USERPROFILE", "The same on Windows."},
		{"B2FORM_MAX_EVALUATION", "Steps that evaluating a configuration may take; left out, 20 million."},
	}
}

func promptAndDisplayVariables() []envVariable {
	return []envVariable{
		{"TF_INPUT", "0 or false: never ask for anything, as -input=false."},
		{"TF_WORKSPACE", "The workspace of Terraform that migrate carries over."},
		{"TF_IN_AUTOMATION", "If set, no hints about what to run next."},
		{"B2FORM_CLI_ARGS", "Options for every command that has them, before those given, quoted as in a shell: -input=false."},
		{"B2FORM_CLI_ARGS_COMMAND", "Arguments for one command, such as B2FORM_CLI_ARGS_plan or B2FORM_CLI_ARGS_state_list."},
		{"B2FORM_LOG", "debug: one line per request on standard error, without what it carries; off: none."},
		{"B2FORM_TRACE", "File that a line of OpenTelemetry's OTLP JSON is added to for each run: phases, steps and requests, no " +
			"values."},
		{"NO_COLOR", "If set, no colours, as -no-color. It has the last word."},
		{"FORCE_COLOR", "If set, and not to 0 or false: colours also without a terminal."},
		{"CLICOLOR_FORCE", "The same."},
		{"TERM", "dumb: no colours, and a console without editing."},
	}
}

func pipelineVariables() []envVariable {
	return []envVariable{
		{"B2FORM_DIGEST_KEY", "What hidden values are hashed with in the digest of a plan; the same for plan and apply -expect."},
		{"B2FORM_CI", "The CI system to work for, as -ci, which goes before: none, github, gitlab, forgejo or gitea."},
		{"B2FORM_NOTIFY", "Secret URL that the outcome is sent to, as -notify, which goes before."},
		{"CI", "If set, a plan that finds no state says what that means, and long work is told of every 30 seconds."},
		{"GITHUB_ACTIONS", "true: colours, masked secrets, annotations and the files below. Set by GitHub, Forgejo and Gitea."},
		{"FORGEJO_ACTIONS", "true: a runner of Forgejo, which shows no annotations and no summary."},
		{"GITEA_ACTIONS", "true: the same of Gitea."},
		{"GITHUB_OUTPUT", "File that the outputs of the step are added to."},
		{"GITHUB_STEP_SUMMARY", "File that the plan or the result is added to, in Markdown. On GitHub only."},
		{"GITHUB_WORKSPACE", "The checkout, from which annotations and reports name files."},
		{"GITLAB_CI", "true: colours, and sections of the log. Set by GitLab."},
		{"CI_PROJECT_DIR", "The checkout on GitLab, as GITHUB_WORKSPACE."},
		{"GITHUB_TOKEN", "Token that comments and issues are written with; that of the job, or one of somebody's."},
		{"GITEA_TOKEN", "The same for Gitea, before GITHUB_TOKEN."},
		{"FORGEJO_TOKEN", "The same for Forgejo."},
		{"GITLAB_TOKEN", "The same for GitLab: a project access token with the scope api. CI_JOB_TOKEN may write none."},
		{"GITHUB_API_URL", "The API for comments and issues. Of this and the next two, GITEA_ and FORGEJO_ go before GITHUB_."},
		{"GITHUB_REF", "refs/pull/NUMBER/…: the pull request that a comment is about."},
		{"GITHUB_EVENT_PATH", "File that names it where that does not."},
		{"CHANGE_ID", "Its number where neither does. Set by Jenkins."},
		{"CI_PROJECT_ID", "The project there. In a merge request CI_MERGE_REQUEST_PROJECT_ID goes before."},
		{"CI_MERGE_REQUEST_PROJECT_ID", "See CI_PROJECT_ID."},
		{"CI_MERGE_REQUEST_IID", "The merge request that a comment is about."},
		{"GITHUB_SERVER_URL", "With GITHUB_REPOSITORY and GITHUB_RUN_ID: the job that a lock names as its holder."},
		{"GITHUB_REPOSITORY", "See GITHUB_SERVER_URL. And where comments and issues go: OWNER/NAME."},
		{"GITHUB_RUN_ID", "See GITHUB_SERVER_URL."},
		{"CI_JOB_URL", "The job that a lock names as its holder. Set by GitLab."},
		{"BUILD_URL", "The same. Set by Jenkins."},
		{"USER", "Who a lock names as its holder; left out, the user of the operating system."},
	}
}

func stateServerVariables() []envVariable {
	return []envVariable{
		{"TF_HTTP_ADDRESS", "Where a backend \"http\" keeps the state, where its block does not say so."},
		{"TF_HTTP_UPDATE_METHOD", "How it is stored; left out, POST."},
		{"TF_HTTP_LOCK_ADDRESS", "Where it is locked; left out, there is no lock, except on GitLab."},
		{"TF_HTTP_LOCK_METHOD", "How it is locked; left out, LOCK, on GitLab POST."},
		{"TF_HTTP_UNLOCK_ADDRESS", "Where the lock is given back; left out, where it is taken."},
		{"TF_HTTP_UNLOCK_METHOD", "How the lock is given back; left out, UNLOCK, on GitLab DELETE."},
		{"TF_HTTP_USERNAME", "Who asks the server."},
		{"TF_HTTP_PASSWORD", "The password for it."},
		{"TF_HTTP_RETRY_MAX", "How often a request that got no answer is repeated; left out, 2."},
		{"TF_HTTP_RETRY_WAIT_MIN", "Seconds to wait before it is repeated; left out, 1, and twice as long each time."},
		{"TF_HTTP_RETRY_WAIT_MAX", "Seconds to wait at most; left out, 30."},
		{"TF_HTTP_CLIENT_CA_CERTIFICATE_PEM", "Certificates of authorities to trust, as text."},
		{"TF_HTTP_CLIENT_CERTIFICATE_PEM", "Certificate to show to the server, as text."},
		{"TF_HTTP_CLIENT_PRIVATE_KEY_PEM", "Its key, as text."},
		{"CI_API_V4_URL", "The API of GitLab, for comments, issues and states there. Set by GitLab."},
		{"CI_JOB_TOKEN", "That token, if TF_HTTP_PASSWORD is not set. Set by GitLab."},
	}
}

func databaseVariables() []envVariable {
	return []envVariable{
		{"PG_CONN_STR", "Where the database is, where the backend \"postgres\" has no conn_str; it may hold the password."},
		{"PGHOST", "Host, or folder of the socket. This and what follows is as libpq has it, and completes conn_str."},
		{"PGPORT", "Port."},
		{"PGDATABASE", "Database."},
		{"PGUSER", "User."},
		{"PGPASSWORD", "The password."},
		{"PGPASSFILE", "File with passwords; left out, .pgpass in the home folder."},
		{"PGSERVICE", "Entry of the service file to use."},
		{"PGSERVICEFILE", "That file; left out, .pg_service.conf in the home folder."},
		{"PGSSLMODE", "Whether TLS is used, and what is verified: disable, prefer, require, verify-ca, verify-full."},
		{"PGSSLROOTCERT", "File with the authorities to trust."},
		{"PGSSLCERT", "File with the certificate to show to the server."},
		{"PGSSLKEY", "File with its key."},
		{"PGSSLPASSWORD", "Password of that key."},
		{"PGCONNECT_TIMEOUT", "Seconds that a connection may take."},
		{"PGTARGETSESSIONATTRS", "With several hosts which of them to use: read-write."},
	}
}

func networkVariables() []envVariable {
	return []envVariable{
		{"HTTPS_PROXY", "The proxy through which B2 is reached: http://user:password@host:port. https_proxy does the same."},
		{"HTTP_PROXY", "The proxy for an endpoint without TLS, such as the emulator."},
		{"NO_PROXY", "Hosts that are reached without a proxy, with commas between."},
		{"SSL_CERT_FILE", "File with the certificates of authorities to trust, in place of the system's. Not on macOS and Windows."},
		{"SSL_CERT_DIR", "Folders with such files, with colons between."},
		{"GOGC", "How much the heap grows between garbage collections, as Go defines it; left out, b2form decides."},
	}
}
