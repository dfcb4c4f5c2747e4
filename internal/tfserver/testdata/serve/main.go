// Command serve runs a command beside a server of Terraform's http protocol, whose address the command
// finds in STATE_SERVER. It is for programs that judge the server, with -gitlab as strict as GitLab is.
package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"

	"b2form/internal/tfserver"
)

func main() {
	command := os.Args[1:]
	s := &tfserver.Server{Username: "tester", Password: "Pa55word-of/the+state"}
	kind := "plain"
	if command[0] == "-gitlab" {
		command, s.GitLab, kind = command[1:], true, "gitlab"
	}
	server := httptest.NewServer(s)
	defer server.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "STATE_SERVER="+server.URL, "STATE_SERVER_IS="+kind, "TF_HTTP_USERNAME="+s.Username,
		"TF_HTTP_PASSWORD="+s.Password)
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
