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

// SharedPostgres is a PostgreSQL server of this test process. It is started once, and ends with the
// process. Debian's package postgresql has it.
var SharedPostgres = sync.OnceValues(startPostgres)

// UsesPostgres reports whether tests use a PostgreSQL: one is installed, or CI is set, where
// nothing may be missing.
func UsesPostgres() bool {
	programs, _ := filepath.Glob(postgresPrograms)
	return len(programs) > 0 || os.Getenv("CI") != ""
}

const postgresPrograms = "/usr/lib/postgresql/*/bin"

// A PostgresServer is one to which the user postgres may connect without a password.
type PostgresServer struct {
	SocketDir string    // the host to connect to
	stdin     io.Closer // closed, it ends
	process   *exec.Cmd
}

// postgresScript makes the database in a server's folder, unless it is there, and starts the server, which
// ends with standard input. What was made is left in fresh, too.
const postgresScript = `set -e
if ! [ -d "$1/data" ]; then
  initdb -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --wal-segsize=1 >"$1/log" 2>&1
  cp -a "$1/data" "$1/fresh"
fi
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
	server = PostgresServer{SocketDir: dir}
	kept, fresh := keptDatabaseDir(programs[len(programs)-1]), filepath.Join(dir, "fresh")
	if err := copyFolderIfExists(kept, filepath.Join(dir, "data")); err != nil {
		return server, err
	}
	if err := server.startScript(postgresScript, programs[len(programs)-1]); err != nil {
		return server, err
	}
	if _, err := os.Stat(fresh); err != nil || kept == "" {
		return server, nil
	}
	part := fmt.Sprint(kept, ".", os.Getpid())
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o700), copyFolderIfExists(fresh, part)); err != nil {
		return server, err
	}
	_ = os.Rename(part, kept) // or another process was quicker
	return server, errors.Join(os.RemoveAll(part), os.RemoveAll(fresh))
}

// keptDatabaseDir is where an empty database is kept from one run to the next, since making one takes
// longer than most tests. "": nowhere.
func keptDatabaseDir(programDir string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "b2form-tests", "postgresql-"+filepath.Base(filepath.Dir(programDir)))
}

// copyFolderIfExists copies a folder with its owners. It does nothing where there is none.
func copyFolderIfExists(from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return nil
	}
	out, err := exec.Command("cp", "-a", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// poolerScript starts a pooler before the server at $2, which has $3 sessions for all clients.
const poolerScript = `set -e
cat >"$1/ini" <<INI
[databases]
postgres = host=$2 user=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = $1
auth_type = any
pool_mode = transaction
default_pool_size = $3
INI
pgbouncer -q "$1/ini" >"$1/log" 2>&1 &
until [ -S "$1/.s.PGSQL.6432" ]; do kill -0 $!; sleep 0.05; done
echo ready
read -r _ || true
kill -TERM $!
wait $! || true
rm -rf "$1"
`

// UsesPooler reports whether tests use PgBouncer: it is installed, or CI is set.
func UsesPooler() bool {
	_, err := os.Stat("/usr/sbin/pgbouncer")
	return UsesPostgres() && (err == nil || os.Getenv("CI") != "")
}

// StartTransactionPooler starts a PgBouncer in transaction mode at SocketDir and port 6432, which has so many
// sessions with the server s. stop ends it.
func (s PostgresServer) StartTransactionPooler(sessions int) (pooler PostgresServer, stop func() error, err error) {
	if pooler.SocketDir, err = os.MkdirTemp("", "b2form-pooler-"); err == nil {
		err = pooler.startScript(poolerScript, "/usr/sbin", s.SocketDir, strconv.Itoa(sessions))
	}
	return pooler, func() error { return errors.Join(pooler.stdin.Close(), pooler.process.Wait()) }, err
}

// startScript runs a script in the server's folder, by a user who is not root, until the script is ready.
func (s *PostgresServer) startScript(script, programDir string, args ...string) error {
	dir := s.SocketDir
	args = append([]string{"sh", "-c", script, "sh", dir}, args...)
	if os.Getuid() == 0 { // these programs refuse to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return err
		}
		args = append([]string{"setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+programDir+":"+os.Getenv("PATH"))
	stdin, inErr := cmd.StdinPipe() // closed when this process ends
	out, outErr := cmd.StdoutPipe()
	s.stdin, s.process = stdin, cmd
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		return err
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != "ready" {
		said, _ := os.ReadFile(filepath.Join(dir, "log"))
		return fmt.Errorf("%s does not start: %w\n%s", dir, err, said)
	}
	return nil
}
