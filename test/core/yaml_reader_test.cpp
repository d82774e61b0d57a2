#include "test/catch.h"
#include "test/core/options_sample.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>

using sample::load;
using sample::mistakes;
using zoo::ConfigLayer;

TEST_CASE("An empty file is an empty map", "[core][options]") {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "{}", "~", "\xEF\xBB\xBF"}) {
    CAPTURE(text);
    REQUIRE(ConfigLayer::from_text("a.yaml", text).root().entries.empty());
    REQUIRE(ConfigLayer::from_text("a.yaml", text).root().kind == zoo::ConfigNode::Kind::map);
  }
}

TEST_CASE("What is not one YAML map is refused with a position", "[core][options]") {
  REQUIRE_THAT(mistakes("a: [1, 2"), Contains("a.yaml:1:") && Contains("not YAML"));
  REQUIRE_THAT(mistakes("title: x\n\tb: 1"), Contains("a.yaml:2:"));
  REQUIRE_THAT(mistakes("- 1\n- 2"), Contains("a.yaml:1:1: must hold a map of options, holds a list"));
  REQUIRE_THAT(mistakes("hello"), Contains("must hold a map of options, holds 'hello'"));
  REQUIRE(mistakes("title: x\n---\ntitle: y\n") == "a.yaml:2:1: a second YAML document starts here; one file holds one");
  REQUIRE_THAT(mistakes("title: x\n...\n---\n~"), Contains("a second YAML document"));
  REQUIRE_THAT(mistakes("? [a, b]\n: 1"), Contains("a key must be plain text"));
  REQUIRE_THAT(mistakes("~: 1"), Contains("a key must be text"));
  REQUIRE_THAT(mistakes("title: !secret x"), Contains("a.yaml:1:8: title: the YAML tag '!secret' is not supported"));
  REQUIRE_THAT(mistakes("title: *nowhere"), Contains("a.yaml:1:"));
  REQUIRE_THAT(mistakes("rule: &r {schedule: *r}"), Contains("the alias is part of what it names"));
}

TEST_CASE("Bytes that yaml-cpp would misread are refused", "[core][options]") {
  // yaml-cpp takes 0x04 for the end of the text: the second key would be dropped in silence.
  REQUIRE(mistakes(std::string("title: a\nx: b\x04\nbatch_size: 3")) == "a.yaml:2:5: control character 0x04; write it as \"\\x04\"");
  REQUIRE_THAT(mistakes(std::string("title: a\0b", 10)), Contains("a.yaml:1:9: control character 0x00"));
  REQUIRE_THAT(mistakes("title: caf\xE9"), Contains("a.yaml:1:11: not UTF-8 text"));
  REQUIRE_THAT(mistakes("title: \xED\xA0\x80"), Contains("not UTF-8"));
  REQUIRE_THAT(mistakes("title: \xC0\xAF"), Contains("not UTF-8"));
  REQUIRE(load("title: \"a\\0b\\x04é\"").title == std::string("a\0b\x04é", 6));
}

TEST_CASE("Aliases stand for what they name", "[core][options]") {
  auto o = load("data: &d {type: shapes, classes: 4}\nextra: [*d, *d]\ntitle: &t hello\nnames: [*t, *t]\n");
  REQUIRE(std::get<sample::Shapes>(o.extra[1]).classes == 4);
  REQUIRE(o.names == std::vector<std::string>{"hello", "hello"});
}

TEST_CASE("Alias bombs, deep nesting and huge files end early", "[core][options]") {
  std::string bomb = "a: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "b" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += std::string(j ? "," : "") + "*a" + std::to_string(i - 1);
    bomb += "]\n";
  }
  REQUIRE_THAT(mistakes(bomb), Contains("more than 100000 values"));

  std::string text = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a,";
  REQUIRE_THAT(mistakes(text + "]"), Contains("more than 16 MiB of text"));

  REQUIRE_THAT(mistakes("a: " + std::string(100, '[') + std::string(100, ']')), Contains("nested deeper than 64 levels"));
  REQUIRE_THAT(mistakes("a: " + std::string(100'000, '[')), Contains("a.yaml:1:"));
  std::string chain = "a: &a0 [[[[[[[[[[x]]]]]]]]]]\n";
  for (int i = 1; i < 10; ++i)
    chain += "b" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[[[*a" + std::to_string(i - 1) + "]]]]]]]]]]\n";
  REQUIRE_THAT(mistakes(chain), Contains("nested deeper than 64 levels"));
}

TEST_CASE("A file that can't be read is the user's mistake and is named", "[core][options]") {
  REQUIRE_THROWS_WITH(ConfigLayer::from_file("/nowhere/x.yaml"), "/nowhere/x.yaml: No such file or directory");
  REQUIRE_THROWS_WITH(ConfigLayer::from_file("/"), Contains("/: is a folder"));
  REQUIRE_THROWS_WITH(ConfigLayer::from_file("/dev/zero"), Contains("larger than 4 MiB"));
}

TEST_CASE("key=value is YAML on the right and a path of keys on the left", "[core][options]") {
  auto o = load({ConfigLayer::from_override("rule.decay_steps=[1, 2]"), ConfigLayer::from_override("title=a=b"),
                 ConfigLayer::from_override("rule.resize="), ConfigLayer::from_override("data={type: image_folder, path: /x}"),
                 ConfigLayer::from_value("data.path", "a: [b")});
  REQUIRE(o.rule.decay_steps == std::vector<int64_t>{1, 2});
  REQUIRE(o.title == "a=b");
  REQUIRE(!o.rule.resize);
  REQUIRE(std::get<sample::Folder>(o.data).path == "a: [b");
  REQUIRE_THROWS_WITH(ConfigLayer::from_override("title"), "command line: 'title' is not of the form key=value");
  REQUIRE_THROWS_WITH(ConfigLayer::from_override("a..b=1"), Contains("command line: a..b: not a path of keys"));
  REQUIRE_THROWS_WITH(ConfigLayer::from_override("=1"), Contains("not a path of keys"));
  REQUIRE_THROWS_WITH(ConfigLayer::from_override("title=[1"), Contains("command line: title: ") && Contains("is a bracket left open?"));
  REQUIRE(mistakes({ConfigLayer::from_override("weights={a: 1, a: 2}")}) ==
          "command line: weights.a: the key is repeated; it was given in line 1");
}

TEST_CASE("Damaged files give an error or options, and nothing else", "[core][options]") {
  const std::string good =
      "data: &d {type: shapes, classes: 4}\nextra: [*d, *d]\nrule:\n  base_rate: 0.1 # x\n  decay_steps: [1, 2]\nnames:\n  - \"a\\n\"\n  - "
      "'b'\ntitle: |\n  text\n  more\n";
  REQUIRE(mistakes(good) == "");
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int edits = 1 + int(random() % 3); edits > 0; --edits) {
      const size_t at = random() % bad.size();
      switch (random() % 3) {
        case 0: bad[at] = char(random() % 256); break;
        case 1: bad.erase(at, 1 + random() % 10); break;
        default: bad.insert(at, 1, "[]{}:,-&*!|>'\"%@`\n\t #?~"[random() % 23]);
      }
      if (bad.empty()) break;
    }
    refused += mistakes(bad) != "";
  }
  REQUIRE(refused > 1000);
}
