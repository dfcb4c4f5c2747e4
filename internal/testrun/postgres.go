package testrun

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Postgres is a PostgreSQL server of this test process. It is started once, and ends with the
// process. Debian's package postgresql has it.
var Postgres = sync.OnceValues(startPostgres)

// HasPostgres reports whether tests use a PostgreSQL: one is installed, or CI is set, where
// nothing may be missing.
func HasPostgres() bool {
	programs, _ := filepath.Glob(postgresPrograms)
	return len(programs) > 0 || os.Getenv("CI") != ""
}

const postgresPrograms = "/usr/lib/postgresql/*/bin"

// A PostgresServer is one to which the user postgres may connect without a password.
type PostgresServer struct {
	SocketDir string    // the host to connect to
	stdin     io.Closer // closed, it ends
}

// postgresScript makes a server's folder and starts it; the server ends with standard input.
const postgresScript = `set -e
initdb -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$1/log" 2>&1
postgres -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c max_connections=200 -c shared_buffers=16MB >>"$1/log" 2>&1 &
until psql -h "$1" -U postgres -c 'select 1' >/dev/null 2>&1; do kill -0 $!; sleep 0.05; done
echo ready
read -r _ || true
kill -QUIT $!
wait $! || true
rm -rf "$1"
`

func startPostgres() (server PostgresServer, err error) {
	programs, err := filepath.Glob(postgresPrograms)
	if err != nil || len(programs) == 0 {
		return server, errors.New("PostgreSQL is not installed; .ci/run installs what the tests need")
	}
	dir, err := os.MkdirTemp("", "b2form-pg-")
	if err != nil {
		return server, err
	}
	args := []string{"sh", "-c", postgresScript, "sh", dir}
	if os.Getuid() == 0 { // it refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return server, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return server, err
		}
		args = append([]string{"setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+programs[len(programs)-1]+":"+os.Getenv("PATH"))
	if server.stdin, err = cmd.StdinPipe(); err != nil { // closed when this process ends
		return server, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return server, err
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != "ready" {
		said, _ := os.ReadFile(filepath.Join(dir, "log"))
		return server, fmt.Errorf("PostgreSQL does not start: %w\n%s", err, said)
	}
	server.SocketDir = dir
	return server, nil
}
