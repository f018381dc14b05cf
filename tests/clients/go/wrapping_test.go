package clients

import (
	"bytes"
	"context"
	"strings"
	"testing"

	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
	transit "github.com/hashicorp/go-kms-wrapping/wrappers/transit/v2"
	"google.golang.org/protobuf/proto"
)

// go-kms-wrapping's transit wrapper, unmodified: Vault, OpenBao and Boundary unseal by it.

func wrapper(t *testing.T, more ...wrapping.Option) (*transit.Wrapper, error) {
	t.Helper()
	made := transit.NewWrapper()
	_, err := made.SetConfig(context.Background(), append([]wrapping.Option{
		transit.WithAddress(client.Address()), transit.WithToken("root"),
		transit.WithMountPath("transit-go/"), transit.WithKeyName("unseal")}, more...)...)
	return made, err
}

func sealBy(t *testing.T, by *transit.Wrapper, text []byte) *wrapping.BlobInfo {
	t.Helper()
	blob, err := by.Encrypt(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	// As it is stored: a message of protocol buffers.
	stored, err := proto.Marshal(blob)
	if err != nil {
		t.Fatal(err)
	}
	read := &wrapping.BlobInfo{}
	if err := proto.Unmarshal(stored, read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestTheTransitWrapperSealsAndUnseals(t *testing.T) {
	first, err := wrapper(t) // renews its token, which a root token refuses and it accepts
	if err != nil {
		t.Fatal(err)
	}
	defer first.Finalize(context.Background())
	secret := bytes.Repeat([]byte{0, 255}, 500)
	blob := sealBy(t, first, secret)
	if id, err := first.KeyId(context.Background()); err != nil || id != "v1" || blob.KeyInfo.KeyId != id {
		t.Fatal(id, err, blob.KeyInfo)
	}
	write(t, "keys/unseal/rotate", nil)
	second, err := wrapper(t, transit.WithDisableRenewal("true"))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Finalize(context.Background())
	if id, _ := second.KeyId(context.Background()); id != "v2" {
		t.Fatal(id)
	}
	for _, sealed := range []*wrapping.BlobInfo{blob, sealBy(t, second, secret)} {
		opened, err := second.Decrypt(context.Background(), sealed)
		if err != nil || !bytes.Equal(opened, secret) {
			t.Fatal(err)
		}
	}
}

func TestTheTransitWrapperIsToldWhatIsWrong(t *testing.T) {
	if _, err := wrapper(t, transit.WithToken("wrong")); err == nil || !strings.Contains(err.Error(), "Code: 403") {
		t.Fatal(err)
	}
	if _, err := wrapper(t, transit.WithMountPath("absent")); err == nil || !strings.Contains(err.Error(), "Code: 404") {
		t.Fatal(err)
	}
	good, err := wrapper(t)
	if err != nil {
		t.Fatal(err)
	}
	defer good.Finalize(context.Background())
	blob := sealBy(t, good, []byte("secret"))
	last := len(blob.Ciphertext) - 3
	blob.Ciphertext[last] ^= 1 // still base64, of another tag
	if _, err := good.Decrypt(context.Background(), blob); err == nil || !strings.Contains(err.Error(), "Code: 400") {
		t.Fatal(err)
	}
}
