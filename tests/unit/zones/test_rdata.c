/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zones/rdata.h"

struct example {
	const char *type;
	const char *text;    /* as written */
	const char *printed; /* NULL: the same */
};

/* One for every type that ldns has a text form for. */
static const struct example examples[] = {
	{"A", "192.0.2.1", NULL},
	{"NS", "ns.example.com.", NULL},
	{"MD", "md.example.com.", NULL},
	{"MF", "mf.example.com.", NULL},
	{"CNAME", "host.example.com", "host.example.com."},
	{"SOA", "ns.example.com. host.example.com. 2024010101 3600 900 604800 300", NULL},
	{"MB", "mb.example.com.", NULL},
	{"MG", "mg.example.com.", NULL},
	{"MR", "mr.example.com.", NULL},
	{"WKS", "192.0.2.1 tcp smtp http", NULL},
	{"PTR", "host.example.com.", NULL},
	{"HINFO", "\"PDP-11/70\" \"UNIX\"", NULL},
	{"MINFO", "a.example.com. b.example.com.", NULL},
	{"MX", "10 mail.example.com.", NULL},
	{"TXT", "\"one\" \"two; three\"", NULL},
	{"RP", "mbox.example.com. text.example.com.", NULL},
	{"AFSDB", "1 afs.example.com.", NULL},
	{"X25", "\"311061700956\"", NULL},
	{"ISDN", "\"150862028003217\" \"004\"", NULL},
	{"RT", "2 relay.example.com.", NULL},
	{"NSAP", "0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00",
         "0x47000580005a0000000001e133ffffff00016100"},
	{"NSAP-PTR", "foo.example.com.", NULL},
	{"SIG", "A 8 2 3600 20300101000000 20200101000000 2642 example.com. AQID", NULL},
	{"KEY", "256 3 8 AQID", NULL},
	{"PX", "50 a.example.com. b.example.com.", NULL},
	{"GPOS", "\"-32.6882\" \"116.8652\" \"10.0\"", NULL},
	{"AAAA", "2001:db8::1", NULL},
	{"LOC", "52 22 23.000 N 04 53 32.000 E -2m 0.00m 10000m 10m", NULL},
	{"SRV", "0 5 5060 sip.example.com.", NULL},
	{"NAPTR", "100 10 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.com.", NULL},
	{"KX", "10 kx.example.com.", NULL},
	{"CERT", "PGP 0 0 AQID", NULL},
	{"DNAME", "example.net.", NULL},
	{"APL", "1:192.0.2.0/24 !2:2001:db8::/32",
         "1:192.0.2.0/24 !2:2001:0db8:0000:0000:0000:0000:0000:0000/32"},
	{"DS", "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118", NULL},
	{"SSHFP", "2 1 123456789abcdef67890123456789abcdef67890", NULL},
	{"IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==", NULL},
	{"RRSIG", "A 8 2 3600 20300101000000 20200101000000 2642 example.com. AQID", NULL},
	{"NSEC", "host.example.com. A MX RRSIG NSEC", NULL},
	{"DNSKEY", "256 3 8 AQID", NULL},
	{"DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", NULL},
	{"NSEC3", "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX RRSIG",
         "1 1 12 aabbccdd  2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX RRSIG"},
	{"NSEC3PARAM", "1 0 12 aabbccdd", NULL},
	{"TLSA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971", NULL},
	{"SMIMEA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971", NULL},
	{"HIP", "2 200100107b1a74df365639cc39f1d578 AQIDBA== rvs.example.com.", NULL},
	{"TALINK", "a.example.com. b.example.com.", NULL},
	{"CDS", "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118", NULL},
	{"CDNSKEY", "256 3 8 AQID", NULL},
	{"OPENPGPKEY", "AQIDBA==", NULL},
	{"CSYNC", "66 3 A NS AAAA", NULL},
	{"ZONEMD",
         "2018031500 1 1 "
         "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e"
         "730044c",
         NULL},
	{"SVCB", "1 svc.example.com. mandatory=alpn alpn=h2,h3 port=8443 ipv4hint=192.0.2.1", NULL},
	{"HTTPS", "1 . alpn=h2", NULL},
	{"SPF", "\"v=spf1 -all\"", NULL},
	{"NID", "10 0014:4fff:ff20:ee64", NULL},
	{"L32", "10 10.1.2.0", NULL},
	{"L64", "10 2001:0db8:1140:1000", NULL},
	{"LP", "10 l64.example.com.", NULL},
	{"EUI48", "00-00-5e-00-53-2a", NULL},
	{"EUI64", "00-00-5e-ef-10-00-00-2a", NULL},
	{"URI", "10 1 \"ftp://ftp.example.com/public\"", NULL},
	{"CAA", "0 issue \"ca.example.net; policy=ev\"", NULL},
	{"DLV", "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118", NULL},
};

/* Types that ldns names but has no text form for: \# must do. */
static const char *const generic_only[] = {"NULL", "NXT", "EID", "NIMLOC", "ATMA", "A6", "SINK"};

static char *round_trip(const char *type_name, const char *text)
{
	uint16_t type = rdata_type(bytes_of(type_name));
	struct buffer wire = {NULL, 0, 0};
	struct reason why = {""};
	char *printed;

	if (rdata_from_text(type, bytes_of(text), &wire, &why) != ERR_OK) {
		buffer_fini(&wire);
		print_message("%s %s: %s\n", type_name, text, why.text);
		return NULL;
	}
	printed = rdata_to_text(type, (struct bytes){wire.data, wire.len});
	buffer_fini(&wire);
	return printed;
}

static void assert_round_trip(const char *type, const char *text, const char *expected)
{
	char *printed = round_trip(type, text);

	if (!printed)
		fail_msg("%s %s was refused", type, text);
	assert_string_equal(printed, expected);
	free(printed);
}

static void assert_refused(const char *type, const char *text, const char *why_wanted)
{
	struct buffer wire = {NULL, 0, 0};
	struct reason why = {""};

	buffer_u8(&wire, 7);
	assert_int_not_equal(
		rdata_from_text(rdata_type(bytes_of(type)), bytes_of(text), &wire, &why), ERR_OK);
	if (why_wanted)
		assert_string_equal(why.text, why_wanted);
	assert_int_equal(wire.len, 1);
	buffer_fini(&wire);
}

static void test_every_type_with_a_text_form_is_read_and_printed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		assert_round_trip(examples[i].type, examples[i].text,
		                  examples[i].printed ? examples[i].printed : examples[i].text);
}

static bool is_listed(const char *name)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		if (strcmp(examples[i].type, name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(generic_only) / sizeof(generic_only[0]); i++)
		if (strcmp(generic_only[i], name) == 0)
			return true;
	return false;
}

static void test_no_type_that_ldns_knows_is_forgotten(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		const ldns_rr_descriptor *d = ldns_rr_descript((uint16_t)type);

		if (!d || !d->_name || strncmp(d->_name, "TYPE", 4) == 0 ||
		    rdata_type(bytes_of(d->_name)) == 0)
			continue;
		if (!is_listed(d->_name))
			fail_msg("%s has no example", d->_name);
	}
}

static void test_every_type_has_the_generic_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(generic_only) / sizeof(generic_only[0]); i++)
		assert_round_trip(generic_only[i], "\\# 0", "\\# 0");
	assert_round_trip("TYPE65280", "\\# 4 DEAD beef", "\\# 4 deadbeef");
	assert_round_trip("TYPE65280", "\\# 0", "\\# 0");
	assert_round_trip("NULL", "\\# 2 abcd", "\\# 2 abcd");
	assert_round_trip("A", "\\# 4 c0000201", "192.0.2.1");
	assert_round_trip("TXT", "\\# 4 03616263", "\"abc\"");
	assert_round_trip("MX", "\\# 8 000a 04 6d61696c 00", "10 mail.");
}

static void test_generic_data_must_fit_their_type(void **state)
{
	(void)state;
	assert_refused("A", "\\# 3 c00002", "not well formed for its type");
	assert_refused("MX", "\\# 4 000ac000", NULL);
	assert_refused("CNAME", "\\# 2 c000", NULL);
	assert_refused("TXT", "\\# 3 056162", NULL);
	assert_refused("TYPE65280", "\\# 4 dead", "\\# names another length than that of the data");
	assert_refused("TYPE65280", "\\# 1 xx",
	               "what follows \\# and the length is not hexadecimal");
	assert_refused("TYPE65280", "\\# 65536 00",
	               "\\# is not followed by a length from 0 to 65535");
	assert_refused("TYPE65280", "abc",
	               "no text form of this type is known; use \\# (RFC 3597)");
}

static void test_types_have_names_and_numbers(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(rdata_type(bytes_of("a")), 1);
	assert_int_equal(rdata_type(bytes_of("HttpS")), 65);
	assert_int_equal(rdata_type(bytes_of("TYPE65280")), 65280);
	assert_int_equal(rdata_type(bytes_of("type1")), 1);
	assert_string_equal(rdata_type_text(65, text), "HTTPS");
	assert_string_equal(rdata_type_text(65280, text), "TYPE65280");
	assert_string_equal(rdata_type_text(65535, text), "TYPE65535");
}

static void test_types_of_questions_and_messages_are_none(void **state)
{
	static const char *const none[] = {"OPT",
	                                   "TSIG",
	                                   "TKEY",
	                                   "ANY",
	                                   "AXFR",
	                                   "IXFR",
	                                   "MAILA",
	                                   "MAILB",
	                                   "TYPE0",
	                                   "TYPE255",
	                                   "TYPE41",
	                                   "TYPE65536",
	                                   "TYPE",
	                                   "TYPE-1",
	                                   "",
	                                   "BOGUS",
	                                   "A ",
	                                   "*",
	                                   "AVERYLONGNAMEOFNOTYPE"};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(rdata_type(bytes_of(none[i])), 0);
}

static void test_a_text_without_quotation_marks_is_one_string(void **state)
{
	char text[600], expected[700];

	(void)state;
	assert_round_trip("TXT", "v=spf1  include:x ~all; \"k\" \\",
	                  "\"v=spf1  include:x ~all; \\\"k\\\" \\\\\"");
	assert_round_trip("TXT", " leading", "\" leading\"");
	assert_round_trip("TXT", "", "\"\"");
	assert_round_trip("TXT", "a\nb\xc3\xa4", "\"a\\010b\\195\\164\"");
	memset(text, 'x', 511);
	text[511] = '\0';
	snprintf(expected, sizeof(expected), "\"%.255s\" \"%.255s\" \"x\"", text, text);
	assert_round_trip("TXT", text, expected);
	text[510] = '\0';
	snprintf(expected, sizeof(expected), "\"%.255s\" \"%.255s\"", text, text);
	assert_round_trip("TXT", text, expected);
}

static void test_quoted_texts_are_strings(void **state)
{
	(void)state;
	assert_round_trip("TXT", "\"a b\"  \"c\\\"d\" \"\\065\"", "\"a b\" \"c\\\"d\" \"A\"");
	assert_refused("TXT", "\"open", "a quotation mark is open");
	assert_refused("TXT", "\"a\" ; comment", "a semicolon outside quotation marks");
}

/* What ldns takes for the origin, wherever it stands. */
static void test_a_name_may_begin_with_an_at_sign(void **state)
{
	static const uint8_t origin[] = {1, 'o', 0};
	struct buffer wire = {NULL, 0, 0};

	(void)state;
	assert_round_trip("SVCB", "1 \\@.c.example. alpn=h2", "1 @.c.example. alpn=h2");
	assert_round_trip("HTTPS", "0 \\064.c.example.", "0 @.c.example.");
	assert_round_trip("RP", "a.example. \\@.", "a.example. \\@.");
	assert_round_trip("NAPTR", "100 10 \"u\" \"@.x\" \"\" @.b.example.",
	                  "100 10 \"u\" \"@.x\" \"\" @.b.example.");
	/* Alone it is the origin, unless a backslash says that it is not. */
	assert_int_equal(rdata_from_master(65, bytes_of("0 @"), origin, &wire, NULL), ERR_OK);
	assert_int_equal(rdata_from_master(65, bytes_of("0 \\@"), origin, &wire, NULL), ERR_OK);
	assert_int_equal(wire.len, 2 + sizeof(origin) + 2 + 2 + sizeof(origin));
	assert_memory_equal(wire.data, "\0\0\1o\0\0\0\1@\1o\0", wire.len);
	buffer_fini(&wire);
}

static void test_names_are_absolute_with_or_without_the_last_dot(void **state)
{
	(void)state;
	assert_round_trip("MX", "10 mail.example.com", "10 mail.example.com.");
	assert_round_trip("SRV", "1 2 3 .", "1 2 3 .");
	assert_round_trip("CNAME", "a\\.b.example.com", "a\\.b.example.com.");
	assert_round_trip("RP", "a b", "a. b.");
	assert_round_trip("HTTPS", "1 svc.example.com", "1 svc.example.com.");
	assert_round_trip("NSEC", "host.example.com A", "host.example.com. A");
	assert_refused("CNAME", "a..b", "a label is empty");
	assert_refused("CNAME", "", "a field is missing");
	assert_refused("MX", "10", "a field is missing");
	assert_refused("MX", "10 a b", "there is more than the type has fields");
	assert_refused("MX", "65536 a", "'65536' is not a number from 0 to 65535");
	assert_refused("SRV", "1 2 -3 a", "'-3' is not a number from 0 to 65535");
}

static void test_addresses_are_strict(void **state)
{
	(void)state;
	assert_refused("A", "192.0.2", NULL);
	assert_refused("A", "192.0.2.1 x", NULL);
	assert_refused("A", "2001:db8::1", "'2001:db8::1' is not an IPv4 address");
	assert_refused("AAAA", "192.0.2.1", "'192.0.2.1' is not an IPv6 address");
	assert_round_trip("AAAA", "2001:DB8:0:0::1", "2001:db8::1");
}

static void test_hostile_texts_are_refused(void **state)
{
	static const char *const types[] = {
		"A",    "MX",       "SOA",   "LOC",    "NAPTR",    "CERT", "APL",
		"DS",   "IPSECKEY", "NSEC",  "DNSKEY", "NSEC3",    "TLSA", "HIP",
		"SVCB", "HTTPS",    "NID",   "L64",    "EUI48",    "URI",  "CAA",
		"WKS",  "NSAP",     "CSYNC", "ZONEMD", "TYPE65280"};
	char *long_text = malloc(70001);

	(void)state;
	memset(long_text, '9', 70000);
	long_text[70000] = '\0';
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_refused(types[i], long_text, "the text is longer than 64 KiB");
		assert_refused(types[i], long_text + 5000, NULL);
		assert_refused(types[i], "a\nb", NULL);
		assert_refused(types[i], "((((", NULL);
		assert_refused(types[i], "\"", NULL);
		assert_refused(types[i], "\\", NULL);
		assert_refused(types[i], "\\999 \\", NULL);
	}
	free(long_text);
}

/* --- lines of a zone --- */

static void assert_line(const char *line, const char *owner, const char *ttl, const char *type,
                        const char *rdata)
{
	struct rdata_line out;
	struct reason why = {""};
	char ttl_text[16] = "-";

	if (rdata_parse_line(line, "example.com.", &out, &why) != ERR_OK)
		fail_msg("%s: %s", line, why.text);
	if (out.has_ttl)
		snprintf(ttl_text, sizeof(ttl_text), "%u", out.ttl);
	assert_string_equal(out.owner, owner);
	assert_string_equal(ttl_text, ttl);
	assert_string_equal(out.type, type);
	assert_string_equal(out.rdata, rdata);
	rdata_line_fini(&out);
}

static void test_a_line_is_owner_ttl_class_type_rdata(void **state)
{
	(void)state;
	assert_line("www 300 IN A 192.0.2.1", "www.example.com.", "300", "A", "192.0.2.1");
	assert_line("www IN 300 A 192.0.2.1", "www.example.com.", "300", "A", "192.0.2.1");
	assert_line("www A 192.0.2.1", "www.example.com.", "-", "A", "192.0.2.1");
	assert_line("@\t60\tin  mx  10 mail", "example.com.", "60", "MX", "10 mail.example.com.");
	assert_line("a.b.example.com. cname @", "a.b.example.com.", "-", "CNAME", "example.com.");
	assert_line("* CNAME other.example.net.", "*.example.com.", "-", "CNAME",
	            "other.example.net.");
	assert_line("x SRV 0 0 80 web", "x.example.com.", "-", "SRV", "0 0 80 web.example.com.");
	assert_line("x HTTPS 1 web alpn=h2", "x.example.com.", "-", "HTTPS",
	            "1 web.example.com. alpn=h2");
	assert_line("x TXT \"a b\"", "x.example.com.", "-", "TXT", "\"a b\"");
	assert_line("x TYPE65280 \\# 1 00", "x.example.com.", "-", "TYPE65280", "\\# 1 00");
}

static void assert_bad_line(const char *line, const char *expected)
{
	struct rdata_line out;
	struct reason why = {""};

	assert_int_not_equal(rdata_parse_line(line, "example.com", &out, &why), ERR_OK);
	assert_string_equal(why.text, expected);
	assert_null(out.owner);
	assert_null(out.rdata);
}

static void test_a_bad_line_says_why(void **state)
{
	(void)state;
	assert_bad_line("", "there is no name");
	assert_bad_line("www", "there is no type");
	assert_bad_line("www 300 IN", "there is no type");
	assert_bad_line("www 300 300 A 192.0.2.1", "'300' is not a type that a zone can hold");
	assert_bad_line("www BOGUS x", "'BOGUS' is not a type that a zone can hold");
	assert_bad_line("www A x", "A: 'x' is not an IPv4 address");
	assert_bad_line("www.example.org. A 192.0.2.1", "www.example.org. lies outside the zone");
	assert_bad_line("a..b A 192.0.2.1", "a label is empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_with_a_text_form_is_read_and_printed),
		cmocka_unit_test(test_no_type_that_ldns_knows_is_forgotten),
		cmocka_unit_test(test_every_type_has_the_generic_form),
		cmocka_unit_test(test_generic_data_must_fit_their_type),
		cmocka_unit_test(test_types_have_names_and_numbers),
		cmocka_unit_test(test_types_of_questions_and_messages_are_none),
		cmocka_unit_test(test_a_text_without_quotation_marks_is_one_string),
		cmocka_unit_test(test_quoted_texts_are_strings),
		cmocka_unit_test(test_a_name_may_begin_with_an_at_sign),
		cmocka_unit_test(test_names_are_absolute_with_or_without_the_last_dot),
		cmocka_unit_test(test_addresses_are_strict),
		cmocka_unit_test(test_hostile_texts_are_refused),
		cmocka_unit_test(test_a_line_is_owner_ttl_class_type_rdata),
		cmocka_unit_test(test_a_bad_line_says_why),
	};

	return cmocka_run_group_tests_name("zones/rdata", tests, NULL, NULL);
}
