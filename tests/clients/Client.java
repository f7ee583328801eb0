// SPDX-License-Identifier: BSD-2-Clause

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;

/**
 * Java's own client against the demo. See run for what it has to say. The
 * first request asks for an upgrade to HTTP/2, as this client does unless it
 * is told not to.
 */
public class Client {
	interface Test {
		void run() throws Exception;
	}

	static final HttpClient CLIENT = HttpClient.newBuilder()
	    .version(HttpClient.Version.HTTP_1_1).build();
	static String base, wanted;

	static HttpRequest.Builder to(String path) {
		return HttpRequest.newBuilder(URI.create(base + path))
		    .timeout(Duration.ofMinutes(1));
	}

	static HttpResponse<byte[]> ask(HttpRequest.Builder request)
	    throws Exception {
		HttpResponse<byte[]> answer = CLIENT.send(
		    request.build(), BodyHandlers.ofByteArray());
		same(answer.statusCode(), 200);
		return answer;
	}

	static void same(Object got, Object want) {
		if (!got.equals(want))
			throw new AssertionError(got + ", and not " + want);
	}

	static String text(HttpResponse<byte[]> answer) {
		return new String(answer.body(), StandardCharsets.UTF_8);
	}

	static String sum(byte[] data) throws Exception {
		return HexFormat.of().formatHex(
		    MessageDigest.getInstance("SHA-256").digest(data));
	}

	static void get() throws Exception {
		HttpClient other = HttpClient.newHttpClient();
		HttpResponse<byte[]> answer = other.send(
		    to("/plaintext").build(), BodyHandlers.ofByteArray());

		same(text(answer), "Hello, World!");
		same(answer.version(), HttpClient.Version.HTTP_1_1);
		same(text(ask(to("/plaintext"))), "Hello, World!");
	}

	static void post() throws Exception {
		String body = "0123456789".repeat(10000);

		same(text(ask(to("/echo").POST(BodyPublishers.ofString(body)))),
		    body);
	}

	/** The demo says the SHA-256 of what it got. */
	static void upload(boolean expect, byte[] data, BodyPublisher body)
	    throws Exception {
		same(text(ask(to("/upload").expectContinue(expect).POST(body))),
		    "{\"size\":" + data.length + ",\"sha256\":\"" + sum(data)
		    + "\"}");
	}

	static byte[] repeated(String word, int count) {
		return word.repeat(count).getBytes(StandardCharsets.UTF_8);
	}

	/** A stream, whose size the client does not know. */
	static void chunked() throws Exception {
		byte[] data = repeated("chunked ", 1 << 20);

		upload(false, data, BodyPublishers.ofInputStream(
		    () -> new ByteArrayInputStream(data)));
	}

	static void head() throws Exception {
		HttpResponse<byte[]> answer = ask(to("/bytes/12345")
		    .method("HEAD", BodyPublishers.noBody()));

		same(answer.headers().firstValueAsLong("Content-Length")
		    .getAsLong(), 12345L);
		same(answer.body().length, 0);
	}

	static void keepAlive() throws Exception {
		for (int i = 0; i < 50; i++)
			same(text(ask(to("/plaintext"))), "Hello, World!");
	}

	static void expectContinue() throws Exception {
		byte[] data = repeated("continue", 1 << 17);

		upload(true, data, BodyPublishers.ofByteArray(data));
	}

	static void download() throws Exception {
		same(sum(ask(to("/bytes/104857600")).body()), wanted);
	}

	static void run(String name, Test test) {
		try {
			test.run();
			System.out.println("ok " + name);
		} catch (Throwable error) {
			System.out.println("FAIL " + name + " " + error);
		}
	}

	public static void main(String[] arguments) {
		base = arguments[0];
		wanted = arguments[1];
		run("get", Client::get);
		run("post", Client::post);
		run("chunked", Client::chunked);
		run("head", Client::head);
		run("keep-alive", Client::keepAlive);
		run("continue", Client::expectContinue);
		run("download", Client::download);
	}
}
