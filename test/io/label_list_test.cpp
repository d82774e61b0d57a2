#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/io/label_list.h>

using namespace zoo;
using io::LabelListFormat;
using io::parse_label_list;

TEST_CASE("CSV lines name a picture and its labels", "[io]") {
  const auto items = parse_label_list("path,labels\r\na.jpg,cat;dog\r\n\nb/c.png,\n\"d, e.jpg\",\"big \"\"one\"\"; cat\"",
                                      LabelListFormat::csv, "list.csv");
  REQUIRE(items.size() == 3);
  CHECK(items[0].path == "a.jpg");
  CHECK(items[0].labels == std::vector<std::string>{"cat", "dog"});
  CHECK(items[0].line == 2);
  CHECK(items[1].path == "b/c.png");
  CHECK(items[1].labels.empty());
  CHECK(items[2].path == "d, e.jpg");
  CHECK(items[2].labels == std::vector<std::string>{"big \"one\"", "cat"});
  CHECK(items[2].line == 5);
}

TEST_CASE("JSON lines name a picture and its labels", "[io]") {
  const auto items = parse_label_list("{\"path\": \"a;b.jpg\", \"labels\": [\"x;y\"]}\n{\"path\": \"c\", \"labels\": []}\n",
                                      LabelListFormat::json_lines, "list.jsonl");
  REQUIRE(items.size() == 2);
  CHECK(items[0].labels == std::vector<std::string>{"x;y"});
  CHECK(items[1].labels.empty());
}

TEST_CASE("lines of another form are refused by number", "[io]") {
  const auto refused = [](const char* text, LabelListFormat format, const char* what) {
    INFO(text);
    CHECK_THROWS_WITH(parse_label_list(text, format, "list"), Contains("list:2") && Contains(what));
  };
  refused("a,b\njust a path", LabelListFormat::csv, "no comma");
  refused("a,b\na,b,c", LabelListFormat::csv, "two columns");
  refused("a,b\n\"a,b", LabelListFormat::csv, "quote");
  refused("a,b\n\"a\"b,c", LabelListFormat::csv, "quote");
  refused("a,b\n,c", LabelListFormat::csv, "empty path");
  refused("a,b\na,c;;d", LabelListFormat::csv, "empty label");
  refused("a,b\na,c;d; c", LabelListFormat::csv, "'c' twice");
  refused("a,b\na,\xff", LabelListFormat::csv, "UTF-8");
  refused("\n[1]", LabelListFormat::json_lines, "path and labels");
  refused("\n{\"path\": \"a\", \"labels\": [1]}", LabelListFormat::json_lines, "no text");
  refused("\n{\"path\": \"a\", \"labels\": \"b\"}", LabelListFormat::json_lines, "path and labels");
  refused("\n{\"path\": \"a\"", LabelListFormat::json_lines, "");
}
