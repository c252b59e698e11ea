// A kubelet that is no more than its streaming end: exec and attach run a command of this machine, for
// whichever pod is named, as /run does without a stream, and port-forward leads to ports of this machine. SPDY and the older WebSocket
// channels are Kubernetes' own code, of the tree it is built in. Two protocols came later, and what is
// here of them are stand-ins that keep to the protocol: v5.channel.k8s.io, which is v4 with a signal that
// closes a channel, and port-forward's SPDY inside WebSocket, which an API server undoes for a kubelet.
//
// kubelet ADDRESS CERTIFICATE KEY
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/net/websocket"
	"k8s.io/apimachinery/pkg/types"
	client "k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubernetes/pkg/kubelet/cri/streaming/portforward"
	"k8s.io/kubernetes/pkg/kubelet/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	v5     = "v5.channel.k8s.io"
	tunnel = "SPDY/3.1+portforward.k8s.io"
	limit  = time.Minute
	closes = 255
)

type local struct{}

// ExecInContainer runs the command. Of a terminal it knows the size, which the command finds in SIZE.
func (local) ExecInContainer(_ string, _ types.UID, _ string, command []string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan client.TerminalSize, _ time.Duration) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, err
	if tty {
		cmd.Stderr = out
		var size client.TerminalSize
		select {
		case size = <-resize:
		case <-time.After(limit):
		}
		cmd.Env = append(os.Environ(), "SIZE="+itoa(size.Width)+"x"+itoa(size.Height))
	}
	if in != nil {
		// Not cmd.Stdin: Wait would wait for a client that says nothing more.
		pipe, broken := cmd.StdinPipe()
		if broken != nil {
			return broken
		}
		go func() {
			io.Copy(pipe, in)
			pipe.Close()
		}()
	}
	ended := cmd.Run()
	var exit *exec.ExitError
	if errors.As(ended, &exit) {
		return utilexec.CodeExitError{Err: ended, Code: exit.ExitCode()}
	}
	return ended
}

// AttachContainer is a container that repeats what it is told, in upper case.
func (it local) AttachContainer(name string, uid types.UID, container string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan client.TerminalSize) error {
	return it.ExecInContainer(name, uid, container, []string{"tr", "a-z", "A-Z"}, in, out, err, tty, resize, 0)
}

// PortForward leads a stream to a port of this machine, until either side has said all.
func (local) PortForward(_ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	conn, err := net.Dial("tcp", "127.0.0.1:"+itoa(uint16(port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	said := make(chan error, 1)
	go func() {
		_, err := io.Copy(stream, conn)
		said <- err
	}()
	go func() {
		io.Copy(conn, stream)
		conn.(*net.TCPConn).CloseWrite()
	}()
	return <-said
}

func itoa(n uint16) string {
	text, _ := json.Marshal(n)
	return string(text)
}

func main() {
	serve := func(w http.ResponseWriter, r *http.Request, attach bool) {
		parts := strings.Split(r.URL.Path, "/")
		if len(parts) != 5 {
			http.Error(w, "which container?", http.StatusNotFound)
			return
		}
		pod, container := parts[3], parts[4]
		command := r.URL.Query()["command"]
		if attach {
			command = []string{"tr", "a-z", "A-Z"}
		}
		if r.Header.Get("Sec-WebSocket-Protocol") == v5 {
			serveV5(w, r, command)
			return
		}
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		protocols := []string{"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"}
		if attach {
			remotecommand.ServeAttach(w, r, local{}, pod, "", container, options, limit, limit, protocols)
			return
		}
		remotecommand.ServeExec(w, r, local{}, pod, "", container, command, options, limit, limit, protocols)
	}
	http.HandleFunc("/exec/", func(w http.ResponseWriter, r *http.Request) { serve(w, r, false) })
	http.HandleFunc("/attach/", func(w http.ResponseWriter, r *http.Request) { serve(w, r, true) })
	http.HandleFunc("/run/", func(w http.ResponseWriter, r *http.Request) {
		words := strings.Fields(r.FormValue("cmd"))
		if r.Method != http.MethodPost || len(words) == 0 {
			http.Error(w, "POST a command", http.StatusBadRequest)
			return
		}
		out, _ := exec.Command(words[0], words[1:]...).CombinedOutput()
		w.Header().Set("Content-Type", "text/plain")
		w.Write(out)
	})
	http.HandleFunc("/portForward/", func(w http.ResponseWriter, r *http.Request) {
		protocols := []string{portforward.ProtocolV1Name}
		forward := func(w http.ResponseWriter, r *http.Request) {
			portforward.ServePortForward(w, r, local{}, "", "", nil, limit, limit, protocols)
		}
		if r.Header.Get("Sec-WebSocket-Protocol") != tunnel {
			forward(w, r)
			return
		}
		handler := func(conn *websocket.Conn) {
			conn.PayloadType = websocket.BinaryFrame
			inner := r.Clone(r.Context())
			inner.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}, "X-Stream-Protocol-Version": protocols}
			forward(upgraded{conn}, inner)
		}
		server := websocket.Server{Handler: handler, Handshake: func(config *websocket.Config, _ *http.Request) error {
			config.Protocol = []string{tunnel}
			return nil
		}}
		server.ServeHTTP(w, r)
	})
	log.Fatal(http.ListenAndServeTLS(os.Args[1], os.Args[2], os.Args[3], nil))
}

// A response that has changed its protocol already.
type upgraded struct{ conn net.Conn }

func (upgraded) Header() http.Header { return http.Header{} }

func (upgraded) Write(bytes []byte) (int, error) { return len(bytes), nil }

func (upgraded) WriteHeader(int) {}

func (it upgraded) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return it.conn, bufio.NewReadWriter(bufio.NewReader(it.conn), bufio.NewWriter(it.conn)), nil
}

// A writer of one channel.
type channel struct {
	conn   *websocket.Conn
	number byte
}

func (it channel) Write(bytes []byte) (int, error) {
	return len(bytes), websocket.Message.Send(it.conn, append([]byte{it.number}, bytes...))
}

func (it channel) Close() error { return nil }

func serveV5(w http.ResponseWriter, r *http.Request, command []string) {
	query := r.URL.Query()
	handler := func(conn *websocket.Conn) {
		defer conn.Close()
		conn.PayloadType = websocket.BinaryFrame
		stdin, feed := io.Pipe()
		sizes := make(chan client.TerminalSize, 1)
		go func() {
			defer feed.Close()
			for {
				var message []byte
				if websocket.Message.Receive(conn, &message) != nil || len(message) == 0 {
					return
				}
				switch message[0] {
				case 0:
					feed.Write(message[1:])
				case 4:
					var size client.TerminalSize
					if json.Unmarshal(message[1:], &size) == nil {
						sizes <- size
					}
				case closes:
					feed.Close()
				}
			}
		}()
		var in io.Reader
		if query.Get("input") == "1" {
			in = stdin
		}
		tty := query.Get("tty") == "1"
		err := local{}.ExecInContainer("", "", "", command, in, channel{conn, 1}, channel{conn, 2}, tty, sizes, 0)
		status := map[string]interface{}{"metadata": map[string]string{}, "status": "Success"}
		var exit utilexec.CodeExitError
		if errors.As(err, &exit) {
			cause := map[string]string{"reason": "ExitCode", "message": itoa(uint16(exit.Code))}
			status["status"], status["reason"] = "Failure", "NonZeroExitCode"
			status["message"] = "command terminated with non-zero exit code"
			status["details"] = map[string]interface{}{"causes": []interface{}{cause}}
		} else if err != nil {
			status["status"], status["reason"], status["message"] = "Failure", "InternalError", err.Error()
		}
		text, _ := json.Marshal(status)
		channel{conn, 3}.Write(text)
	}
	server := websocket.Server{Handler: handler, Handshake: func(config *websocket.Config, _ *http.Request) error {
		config.Protocol = []string{v5}
		return nil
	}}
	server.ServeHTTP(w, r)
}
