package clients

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"

	vault "github.com/hashicorp/vault/api"
	"github.com/tink-crypto/tink-go-hcvault/v2/integration/hcvault"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// tink-go-hcvault, unmodified. Its client wants HTTPS; beside it Vault's own Go client, which it
// is built on, takes any address.

func logical(t *testing.T) *vault.Logical {
	t.Helper()
	config := vault.DefaultConfig()
	config.Address = client.Address()
	made, err := vault.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	made.SetToken("root")
	return made.Logical()
}

func opensOnlyWith(t *testing.T, by tink.AEAD, associated, other []byte) {
	t.Helper()
	sealed, err := by.Encrypt([]byte("hello"), associated)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := by.Decrypt(sealed, associated)
	if err != nil || !bytes.Equal(opened, []byte("hello")) {
		t.Fatal(opened, err)
	}
	if other == nil {
		return
	}
	if opened, err := by.Decrypt(sealed, other); err == nil {
		t.Fatal(opened)
	}
}

func TestTinkSealsUnderAKeyWithAssociatedData(t *testing.T) {
	write(t, "keys/tink", nil)
	by, err := hcvault.NewAEAD("/transit-go/keys/tink", logical(t))
	if err != nil {
		t.Fatal(err)
	}
	opensOnlyWith(t, by, []byte("order 17"), []byte("order 18"))
	opensOnlyWith(t, by, []byte("order 17"), []byte{})
	opensOnlyWith(t, by, nil, []byte("order 17"))
}

func TestTinkSealsUnderADerivedKeyWithAContext(t *testing.T) {
	write(t, "keys/tink-derived", data{"derived": true})
	by, err := hcvault.NewAEAD("/transit-go/keys/tink-derived", logical(t), hcvault.WithLegacyContextParamater())
	if err != nil {
		t.Fatal(err)
	}
	opensOnlyWith(t, by, []byte("order 17"), []byte("order 18"))
	if _, err := by.Encrypt([]byte("hello"), nil); err == nil || !strings.Contains(err.Error(), "context") {
		t.Fatal(err)
	}
}

func TestTinksClientSealsItsKeysOverHttps(t *testing.T) {
	address, folder, stop := start("-dev-tls")
	defer stop()
	authority, err := os.ReadFile(folder + "/tls-ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		t.Fatal("no certificate")
	}
	prefix := "hcvault://" + strings.TrimPrefix(address, "https://")
	made, err := hcvault.NewClient(prefix, &tls.Config{RootCAs: trusted}, "root")
	if err != nil {
		t.Fatal(err)
	}
	// Absent: it is made by its first use, as Vault makes it.
	remote, err := made.GetAEAD(prefix + "/transit/keys/envelope")
	if err != nil {
		t.Fatal(err)
	}
	opensOnlyWith(t, aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), remote), []byte("row 1"), []byte("row 2"))
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	var stored bytes.Buffer
	if err := handle.Write(keyset.NewJSONWriter(&stored), remote); err != nil {
		t.Fatal(err)
	}
	read, err := keyset.Read(keyset.NewJSONReader(&stored), remote)
	if err != nil || read.String() != handle.String() {
		t.Fatal(err)
	}
}
