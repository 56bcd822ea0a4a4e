/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <string.h>

#include "base/check.h"
#include "ctl/fields.h"
#include "ctl/print.h"

void http_add_arg(struct text *url, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	text_printf(url, "%c%s=", url->data && strchr(url->data, '?') ? '&' : '?', key);
	for (; *value; value++) {
		if (isalnum((unsigned char)*value) || strchr("-._~", *value))
			text_printf(url, "%c", *value);
		else
			text_printf(url, "%%%02X", (unsigned char)*value);
	}
}

/* Taking less than was given ends the transfer. */
static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct text *body = arg;

	if (size * count > HTTP_BODY_MOST - body->len)
		return 0;
	text_add_bytes(body, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

static enum err error_of(CURLcode code, struct reason *why, const char *detail)
{
	const char *text = *detail ? detail : curl_easy_strerror(code);

	if (code == CURLE_WRITE_ERROR)
		return reason_set(why, ERR_NOSPACE, "the answer is longer than %d bytes",
		                  HTTP_BODY_MOST);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return reason_set(why, ERR_TIMEOUT, "no answer within %d s", HTTP_TIMEOUT_S);
	return reason_set(why, ERR_UNREACHABLE, "%s", text);
}

static enum err error_of_status(long status, const struct text *body, struct reason *why)
{
	struct json_object *root = body->len ? json_tokener_parse(body->data) : NULL;
	enum err err = status == 404                    ? ERR_NOTFOUND
	               : status == 401 || status == 403 ? ERR_DENIED
	                                                : ERR_PARSE;
	struct text said = {0};

	print_safe(fields_text(root, "error"), &said);
	if (said.len)
		reason_set(why, err, "%s", said.data);
	else
		reason_set(why, err, "the server answered %ld", status);
	text_fini(&said);
	json_object_put(root);
	return err;
}

static void set_options(CURL *curl, const char *url, struct text *body, char *detail)
{
	CHECK(curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)HTTP_TIMEOUT_S) == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail) == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK);
	CHECK(curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK);
}

static enum err ask(const char *url, bool is_post, struct text *body, struct reason *why)
{
	char detail[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode code;
	enum err err = ERR_OK;

	CHECK(curl != NULL);
	text_reset(body);
	set_options(curl, url, body, detail);
	if (is_post) {
		CHECK(curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK);
		CHECK(curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L) == CURLE_OK);
		CHECK(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "") == CURLE_OK);
	}
	code = curl_easy_perform(curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		err = error_of(code, why, detail);
	else if (status != 200)
		err = error_of_status(status, body, why);
	curl_easy_cleanup(curl);
	return err;
}

enum err http_get(const char *url, struct text *body, struct reason *why)
{
	return ask(url, false, body, why);
}

enum err http_post(const char *url, struct text *body, struct reason *why)
{
	return ask(url, true, body, why);
}
