// OpenBao's Go client, unmodified, against a Coffer server: every transit operation it can ask for.
package clients

import (
	"bufio"
	"context"
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/openbao/openbao/api/v2"
)

var client *api.Client

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	address, _, stop := start()
	defer stop()
	config := api.DefaultConfig()
	config.Address = address
	var err error
	client, err = api.NewClient(config)
	if err != nil {
		panic(err)
	}
	client.SetToken("root")
	if err := client.Sys().Mount("transit-go", &api.MountInput{Type: "transit"}); err != nil {
		panic(err)
	}
	return m.Run()
}

// A server with a data directory of its own; returns once it says that it is ready.
func start(flags ...string) (address, data string, stop func()) {
	data, err := os.MkdirTemp("", "coffer-go-")
	if err != nil {
		panic(err)
	}
	server := exec.Command(os.Getenv("COFFER_BINARY"), append([]string{"server", "-dev", "-data=" + data,
		"-dev-root-token-id=root", "-dev-listen-address=127.0.0.1:0"}, flags...)...)
	out, err := server.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := server.Start(); err != nil {
		panic(err)
	}
	stop = func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
		_ = os.RemoveAll(data)
	}
	lines := bufio.NewScanner(out)
	ready := false
	for !ready && lines.Scan() {
		if rest, found := strings.CutPrefix(lines.Text(), "listening on "); found && strings.HasPrefix(rest, "http") {
			address = rest
		}
		ready = strings.HasPrefix(lines.Text(), "coffer is ready")
	}
	if !ready {
		stop()
		panic("the server ended before it was ready")
	}
	go func() {
		for lines.Scan() {
		}
	}()
	return address, data, stop
}

type data = map[string]interface{}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func write(t *testing.T, path string, body data) data {
	t.Helper()
	secret, err := client.Logical().WriteWithContext(context.Background(), "transit-go/"+path, body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if secret == nil {
		return nil
	}
	return secret.Data
}

func refused(t *testing.T, path string, body data, text string) {
	t.Helper()
	_, err := client.Logical().Write("transit-go/"+path, body)
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestKeysLiveFromCreationToDeletion(t *testing.T) {
	write(t, "keys/life", data{"type": "aes256-gcm96"})
	sealed := write(t, "encrypt/life", data{"plaintext": b64("hello")})["ciphertext"]
	write(t, "keys/life/rotate", nil)
	moved := write(t, "rewrap/life", data{"ciphertext": sealed})["ciphertext"].(string)
	if !strings.HasPrefix(moved, "vault:v2:") {
		t.Fatal(moved)
	}
	if write(t, "decrypt/life", data{"ciphertext": moved})["plaintext"] != b64("hello") {
		t.Fatal("not what was encrypted")
	}
	write(t, "keys/life/config", data{"min_decryption_version": 2, "min_encryption_version": 2,
		"deletion_allowed": true})
	write(t, "keys/life/trim", data{"min_available_version": 2})
	refused(t, "decrypt/life", data{"ciphertext": sealed}, "disallowed by policy (too old)")
	list, err := client.Logical().List("transit-go/keys")
	if err != nil || len(list.Data["keys"].([]interface{})) == 0 {
		t.Fatal(list, err)
	}
	if _, err := client.Logical().Delete("transit-go/keys/life"); err != nil {
		t.Fatal(err)
	}
	secret, err := client.Logical().Read("transit-go/keys/life")
	if err != nil || secret != nil {
		t.Fatal(secret, err)
	}
}

func TestEveryTypeSignsOrAuthenticates(t *testing.T) {
	for _, keyType := range []string{"rsa-2048", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519"} {
		write(t, "keys/s-"+keyType, data{"type": keyType})
		signature := write(t, "sign/s-"+keyType+"/sha2-512", data{"input": b64("m")})["signature"]
		body := data{"input": b64("m"), "signature": signature}
		if write(t, "verify/s-"+keyType+"/sha2-512", body)["valid"] != true {
			t.Fatal(keyType)
		}
		body["input"] = b64("n")
		if write(t, "verify/s-"+keyType+"/sha2-512", body)["valid"] != false {
			t.Fatal(keyType)
		}
		exported, err := client.Logical().Read("transit-go/export/public-key/s-" + keyType)
		if err != nil || exported.Data["type"] != keyType {
			t.Fatal(exported, err)
		}
	}
	for _, keyType := range []string{"hmac", "aes256-gcm96", "ed25519"} {
		write(t, "keys/h-"+keyType, data{"type": keyType})
		mac := write(t, "hmac/h-"+keyType, data{"input": b64("m")})["hmac"]
		if write(t, "verify/h-"+keyType, data{"input": b64("m"), "hmac": mac})["valid"] != true {
			t.Fatal(keyType)
		}
	}
	write(t, "keys/c", data{"type": "aes128-cmac"})
	mac := write(t, "cmac/c", data{"input": b64("m")})["cmac"]
	if write(t, "verify/c", data{"input": b64("m"), "cmac": mac})["valid"] != true {
		t.Fatal("cmac")
	}
}

func TestBatchesDerivedKeysAndDataKeys(t *testing.T) {
	write(t, "keys/d", data{"derived": true, "convergent_encryption": true})
	batch := []data{{"plaintext": b64("a"), "context": b64("c"), "reference": "1"},
		{"plaintext": b64("a"), "context": b64("c"), "reference": "2"}}
	results := write(t, "encrypt/d", data{"batch_input": batch})["batch_results"].([]interface{})
	first, second := results[0].(data), results[1].(data)
	if first["ciphertext"] != second["ciphertext"] || second["reference"] != "2" {
		t.Fatal(results)
	}
	write(t, "keys/r", data{"type": "rsa-2048"})
	for _, key := range []string{"d", "r"} {
		made := write(t, "datakey/plaintext/"+key, data{"context": b64("c")})
		opened := write(t, "decrypt/"+key,
			data{"ciphertext": made["ciphertext"], "context": b64("c")})
		if opened["plaintext"] != made["plaintext"] {
			t.Fatal(key)
		}
	}
	if write(t, "random/32", nil)["random_bytes"] == "" {
		t.Fatal("random")
	}
	if write(t, "hash/sha3-256", data{"input": b64("m"), "format": "base64"})["sum"] == "" {
		t.Fatal("hash")
	}
}

// The client has no functions for transit, so its paths are all that there is to try.
func TestABackupIsRestoredUnderAnotherName(t *testing.T) {
	sealed := write(t, "encrypt/saved", data{"plaintext": b64("hello")})["ciphertext"]
	backup, err := client.Logical().Read("transit-go/backup/saved")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "restore", backup.Data, "already exists")
	write(t, "restore/again", backup.Data)
	if write(t, "decrypt/again", data{"ciphertext": sealed})["plaintext"] != b64("hello") {
		t.Fatal("not what was encrypted")
	}
	refused(t, "restore/other", data{"backup": b64("junk")}, "the backup is damaged")
	config := write(t, "config/keys", data{"disable_upsert": true})
	if config["disable_upsert"] != true {
		t.Fatal(config)
	}
	refused(t, "encrypt/absent", data{"plaintext": ""}, "encryption key not found")
	write(t, "config/keys", data{"disable_upsert": false})
}

func TestTheOtherPathsOfTransit(t *testing.T) {
	sealed := write(t, "encrypt/seen", data{"plaintext": b64("hello")})["ciphertext"]
	write(t, "keys/seen/rotate", nil)
	seen := write(t, "inspect/seen", data{"ciphertext": sealed})
	if seen["needs_rewrap"] != true || seen["type"] != "aes256-gcm96" {
		t.Fatal(seen)
	}
	if _, err := client.Logical().Delete("transit-go/keys/seen/soft-delete"); err != nil {
		t.Fatal(err)
	}
	refused(t, "decrypt/seen", data{"ciphertext": sealed}, "soft-deleted")
	write(t, "keys/seen/soft-delete-restore", nil)
	if write(t, "decrypt/seen", data{"ciphertext": sealed})["plaintext"] != b64("hello") {
		t.Fatal("not what was encrypted")
	}
	write(t, "keys/own", data{"type": "ecdsa-p256"})
	request := write(t, "keys/own/csr", nil)["csr"].(string)
	if !strings.Contains(request, "BEGIN CERTIFICATE REQUEST") {
		t.Fatal(request)
	}
	exported, err := client.Logical().Read("transit-go/export/public-key/own/latest")
	if err != nil {
		t.Fatal(err)
	}
	public := exported.Data["keys"].(data)["1"]
	write(t, "keys/theirs/import", data{"type": "ecdsa-p256", "public_key": public})
	signature := write(t, "sign/own", data{"input": b64("m")})["signature"]
	if write(t, "verify/theirs", data{"input": b64("m"), "signature": signature})["valid"] != true {
		t.Fatal("theirs")
	}
	refused(t, "sign/theirs", data{"input": b64("m")}, "does not contain a private part")
	for _, source := range []string{"platform", "seal", "all"} {
		random := write(t, "random/"+source+"/24", data{"format": "hex"})["random_bytes"].(string)
		if len(random) != 48 {
			t.Fatal(source, random)
		}
	}
	refused(t, "datakey/bare/seen", nil, "must be 'plaintext' or 'wrapped'")
}

func TestWhatCannotBeDoneIsABadRequest(t *testing.T) {
	refused(t, "keys/x", data{"type": "chacha20-poly1305"}, "the token cannot make ChaCha20 keys")
	refused(t, "keys/x", data{"exportable": true}, "exporting keys is disabled")
	refused(t, "sign/none", data{"input": ""}, "signing key not found")
	wrapping, err := client.Logical().Read("transit-go/wrapping_key")
	if err != nil || !strings.Contains(wrapping.Data["public_key"].(string), "BEGIN PUBLIC KEY") {
		t.Fatal(wrapping, err)
	}
}
