// jopenlibs' vault-java-driver from Maven Central, unmodified, against a Coffer server. Prints TAP.

import io.github.jopenlibs.vault.SslConfig;
import io.github.jopenlibs.vault.Vault;
import io.github.jopenlibs.vault.VaultConfig;
import io.github.jopenlibs.vault.VaultException;
import io.github.jopenlibs.vault.api.Logical;
import io.github.jopenlibs.vault.api.sys.mounts.MountPayload;
import io.github.jopenlibs.vault.api.sys.mounts.MountType;
import io.github.jopenlibs.vault.api.sys.mounts.TimeToLive;
import io.github.jopenlibs.vault.json.JsonArray;
import io.github.jopenlibs.vault.json.JsonObject;
import io.github.jopenlibs.vault.response.LogicalResponse;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

public final class VaultJavaDriverTest {

    interface Test {
        void run() throws Exception;
    }

    private static final Map<String, Object> NOTHING = Map.of();
    private static Path data;
    private static String address;
    private static Vault vault;
    private static int number;
    private static boolean failed;

    public static void main(String[] arguments) throws Exception {
        data = Files.createTempDirectory("coffer-java-");
        Process server = start();
        try {
            vault = connect("root");
            runAll();
        } finally {
            server.toHandle().destroy(); // unlike the process' own, it leaves the output open
            test("the server ends with 0", () -> {
                check(server.waitFor(60, TimeUnit.SECONDS), "it goes on");
                same(0, server.exitValue());
            });
            try (var files = Files.walk(data)) {
                files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        }
        System.exit(failed ? 1 : 0);
    }

    // Returns once the server says that it is ready.
    private static Process start() throws Exception {
        Process server = new ProcessBuilder(System.getenv("COFFER_BINARY"), "server", "-dev", "-dev-tls",
                "-data=" + data, "-dev-root-token-id=root", "-dev-listen-address=127.0.0.1:0")
                .redirectErrorStream(true).start();
        var lines = new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        var seen = new ArrayList<String>();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            seen.add(line);
            if (line.startsWith("listening on https://")) address = line.split(" ")[2];
            if (!line.startsWith("coffer is ready")) continue;
            var rest = new Thread(() -> lines.lines().forEach(ignored -> { }));
            rest.setDaemon(true);
            rest.start();
            return server;
        }
        throw new IllegalStateException("the server ended:\n" + String.join("\n", seen));
    }

    private static VaultConfig config(String token) throws VaultException {
        return new VaultConfig().address(address).token(token)
                .sslConfig(new SslConfig().pemFile(data.resolve("tls-ca.pem").toFile()).build()).build();
    }

    // Version 1 of the driver's two ways to write paths: version 2 is for KV's.
    private static Vault connect(String token) throws VaultException {
        return Vault.create(config(token), 1);
    }

    private static void runAll() {
        test("the server is initialised, unsealed and healthy", () -> {
            var health = vault.debug().health();
            check(health.getInitialized() && !health.getSealed() && !health.getStandby(), "health");
            same(false, vault.sys().seal().sealStatus().getSealed());
        });
        test("the token knows itself", () -> {
            var self = vault.auth().lookupSelf();
            same(List.of("root"), self.getPolicies());
            same(0L, self.getTTL());
            same(false, self.isRenewable());
        });
        test("a mount is made, listed, tuned and read", () -> {
            same(204, status(vault.sys().mounts().enable("transit-java", MountType.TRANSIT,
                    new MountPayload().description("of Java").defaultLeaseTtl(TimeToLive.of(1, TimeUnit.HOURS)))));
            var mount = vault.sys().mounts().list().getMounts().get("transit-java/");
            same(MountType.TRANSIT, mount.getType());
            same("of Java", mount.getDescription());
            same(3600, mount.getConfig().getDefaultLeaseTtl());
            same(204, status(vault.sys().mounts().tune("transit-java",
                    new MountPayload().maxLeaseTtl(TimeToLive.of(2, TimeUnit.HOURS)))));
            same(7200, vault.sys().mounts().read("transit-java").getMount().getConfig().getMaxLeaseTtl());
        });
        test("a driver that asks which engines there are takes transit's paths as they are", () -> {
            Vault asking = Vault.create(config("root"), true, 1);
            check(asking.getSecretEngineVersions().containsKey("transit-java/"), "not listed");
            same(200, status(asking.logical().write("transit-java/keys/asking", NOTHING)));
        });
        test("a key lives from its creation to its deletion", () -> {
            write("keys/life", Map.of("type", "aes256-gcm96"));
            check(logical().list("transit-java/keys").getListData().contains("life"), "not listed");
            String sealed = write("encrypt/life", Map.of("plaintext", b64("hello"))).get("ciphertext");
            write("keys/life/rotate", NOTHING);
            String moved = write("rewrap/life", Map.of("ciphertext", sealed)).get("ciphertext");
            check(moved.startsWith("vault:v2:"), moved);
            same(b64("hello"), write("decrypt/life", Map.of("ciphertext", moved)).get("plaintext"));
            write("keys/life/config", Map.of("min_decryption_version", 2, "deletion_allowed", true));
            refused(400, "disallowed by policy (too old)",
                    logical().write("transit-java/decrypt/life", Map.of("ciphertext", sealed)));
            same("2", logical().read("transit-java/keys/life").getData().get("latest_version"));
            same(204, status(logical().delete("transit-java/keys/life")));
            same(404, status(logical().read("transit-java/keys/life")));
        });
        test("a batch comes back in order", () -> {
            var texts = new JsonArray();
            for (int i = 0; i < 50; ++i) texts.add(new JsonObject().add("plaintext", b64("record " + i)));
            JsonArray sealed = batch("encrypt/batches", texts);
            var ciphertexts = new JsonArray();
            for (var item : sealed) {
                ciphertexts.add(new JsonObject().add("ciphertext", item.asObject().getString("ciphertext")));
            }
            JsonArray opened = batch("decrypt/batches", ciphertexts);
            same(50, opened.size());
            for (int i = 0; i < 50; ++i) {
                same(b64("record " + i), opened.get(i).asObject().getString("plaintext"));
            }
        });
        test("every kind of key signs or authenticates", () -> {
            for (String type : List.of("rsa-2048", "ecdsa-p256", "ed25519")) {
                write("keys/s-" + type, Map.of("type", type));
                String signature = write("sign/s-" + type, Map.of("input", b64("m"))).get("signature");
                same("true", write("verify/s-" + type, Map.of("input", b64("m"), "signature", signature)).get("valid"));
                same("false", write("verify/s-" + type, Map.of("input", b64("n"), "signature", signature)).get("valid"));
            }
            String mac = write("hmac/life2", Map.of("input", b64("m")), "keys/life2").get("hmac");
            same("true", write("verify/life2", Map.of("input", b64("m"), "hmac", mac)).get("valid"));
        });
        test("a data key, a derived key and random bytes", () -> {
            write("keys/derived", Map.of("derived", true));
            var made = write("datakey/plaintext/derived", Map.of("context", b64("c")));
            same(made.get("plaintext"), write("decrypt/derived",
                    Map.of("ciphertext", made.get("ciphertext"), "context", b64("c"))).get("plaintext"));
            same(64, write("random/32", Map.of("format", "hex")).get("random_bytes").length());
        });
        test("what is not there is an error with its status", () -> {
            refused(400, "signing key not found", logical().write("transit-java/sign/none", Map.of("input", "")));
            refused(404, "no handler for route", logical().read("absent/path"));
            refused(403, "permission denied", connect("wrong").logical().read("transit-java/keys/derived"));
        });
        test("a mount goes", () -> {
            same(204, status(vault.sys().mounts().disable("transit-java")));
            check(!vault.sys().mounts().list().getMounts().containsKey("transit-java/"), "still listed");
        });
    }

    private static void test(String name, Test test) {
        String result = "ok";
        try {
            test.run();
        } catch (Exception | AssertionError error) {
            error.printStackTrace();
            result = "not ok";
            failed = true;
        }
        System.out.println(result + " " + ++number + " - " + name);
    }

    private static Logical logical() {
        return vault.logical();
    }

    // Makes `key` first.
    private static Map<String, String> write(String path, Map<String, Object> body, String key) throws VaultException {
        write(key, NOTHING);
        return write(path, body);
    }

    private static Map<String, String> write(String path, Map<String, Object> body) throws VaultException {
        LogicalResponse answer = logical().write("transit-java/" + path, body);
        check(status(answer) < 300, path + ": " + text(answer));
        return answer.getData();
    }

    private static JsonArray batch(String path, JsonArray input) throws VaultException {
        LogicalResponse answer = logical().write("transit-java/" + path, Map.of("batch_input", input));
        check(status(answer) == 200, text(answer));
        return answer.getDataObject().get("batch_results").asArray();
    }

    private static void refused(int status, String why, LogicalResponse answer) {
        same(status, status(answer));
        check(text(answer).contains(why), text(answer));
    }

    private static int status(LogicalResponse answer) {
        return answer.getRestResponse().getStatus();
    }

    private static String text(LogicalResponse answer) {
        return new String(answer.getRestResponse().getBody(), StandardCharsets.UTF_8);
    }

    private static String b64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void same(Object wanted, Object got) {
        check(Objects.equals(wanted, got), "wanted " + wanted + ", got " + got);
    }

    private static void check(boolean holds, String otherwise) {
        if (!holds) throw new AssertionError(otherwise);
    }
}
