#include "test/catch.h"
#include "test/io/records.h"

#include <libzoo/core/error.h>
#include <libzoo/io/shards.h>
#include <libzoo/io/tar.h>
#include <libzoo/io/webdataset.h>

#include <set>

using namespace zoo;
using namespace zoo::test;

namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

std::string archive(const Members& members) {
  std::string file;
  for (const auto& [name, payload] : members) file += io::tar_header(name, payload.size()) + padded(payload);
  return file + tar_end();
}

// "key: extension=payload …" of each sample.
std::vector<std::string> grouped(const std::string& file) {
  io::WebDatasetReader shard(bytes(file), "t");
  std::vector<std::string> samples;
  while (const auto sample = shard.next()) {
    std::string line = sample->key + ":";
    for (const auto& field : sample->fields) line += " " + field.extension + "=" + std::string(shard.bytes(field).text());
    samples.push_back(line);
  }
  return samples;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("Consecutive files with one key are a sample", "[io]") {
  REQUIRE(grouped(archive({})).empty());
  REQUIRE(grouped(archive({{"a.jpg", "1"}, {"a.cls", "2"}, {"b.jpg", "3"}})) == Lines{"a: jpg=1 cls=2", "b: jpg=3"});
  // A key that comes back starts a new sample.
  REQUIRE(grouped(archive({{"a.jpg", "1"}, {"b.jpg", "2"}, {"a.cls", "3"}})) == Lines{"a: jpg=1", "b: jpg=2", "a: cls=3"});
  REQUIRE(grouped(archive({{"d/a.jpg", "1"}, {"e/a.cls", "2"}})) == Lines{"d/a: jpg=1", "e/a: cls=2"});
}

TEST_CASE("The key ends at the first dot of the base name; extensions are in lower case", "[io]") {
  REQUIRE(grouped(archive({{"v1.0/a.seg.PNG", "1"}, {"v1.0/a.JPG", "2"}})) == Lines{"v1.0/a: seg.png=1 jpg=2"});
  REQUIRE(grouped(archive({{"./a.jpg", "1"}, {"a.jpg", "2"}, {"A.jpg", "3"}})) == Lines{"./a: jpg=1", "a: jpg=2", "A: jpg=3"});
  REQUIRE(grouped(archive({{"a.", "1"}, {"a..x", "2"}})) == Lines{"a: =1 .x=2"});
}

TEST_CASE("What is passed over ends no sample", "[io]") {
  const std::string file = io::tar_header("a.jpg", 1) + padded("1") + TarHeader{.name = "d.x/", .type = '5'}.bytes() +
                           TarHeader{.name = "link.jpg", .type = '2'}.bytes() +
                           archive({{"noext", ""},
                                    {".hidden", ""},
                                    {"d/.hidden.jpg", ""},
                                    {"__index__", ""},
                                    {"__a.b__", ""},
                                    {"__meta__/b.jpg", ""},
                                    {"____/c.jpg", ""},
                                    {"a.cls", "2"}});
  REQUIRE(grouped(file) == Lines{"a: jpg=1 cls=2"});
  REQUIRE(grouped(archive({{"__meta__.jpg", "1"}, {"d/__meta__/a.jpg", "2"}, {"___/b.jpg", "3"}})) ==
          Lines{"__meta__: jpg=1", "d/__meta__/a: jpg=2", "___/b: jpg=3"});
}

TEST_CASE("A repeated extension in a sample is an error", "[io]") {
  REQUIRE_THROWS_WITH(grouped(archive({{"b.x", ""}, {"a.jpg", "1"}, {"a.JPG", "2"}})),
                      Contains("t: byte") && Contains("'a' has two files 'jpg'"));
  REQUIRE_THROWS_WITH(grouped(archive({{"b.x", ""}, {"a.jpg", "1"}, {"a.cls", "2"}, {"a.cls", "2"}})), Contains("two files 'cls'"));
}

TEST_CASE("Samples come back as they were written", "[io]") {
  TemporaryFolder folder;
  RandomStream random({.seed = 4});
  Lines expected;
  io::WebDatasetWriter writer(folder / "s.tar");
  for (int i = 0; i < 300; ++i) {
    const std::string key = (i % 3 ? "train/" : "") + std::to_string(i), image = random_text_below(random, 3000), label = std::to_string(i);
    std::vector<io::WebDatasetWriter::Field> fields{{"jpg", io::view_bytes(image)}, {"cls", io::view_bytes(label)}};
    if (i % 5 == 0) fields.pop_back();
    writer.add(key, fields);
    expected.push_back(key + ": jpg=" + image + (i % 5 == 0 ? "" : " cls=" + label));
  }
  REQUIRE(writer.samples() == 300);
  writer.commit();
  REQUIRE(grouped(read_text(folder / "s.tar")) == expected);
}

TEST_CASE("A field is found by its extension and viewed without copying", "[io]") {
  const auto file = bytes(archive({{"a.jpg", "1"}, {"a.cls", "22"}}));
  io::WebDatasetReader shard(file, "t");
  const auto sample = shard.next();
  REQUIRE(sample->find("png") == nullptr);
  REQUIRE(sample->find("cls")->size == 2);
  REQUIRE(shard.bytes(*sample->find("cls")).data() == file.data() + sample->find("cls")->offset);
}

TEST_CASE("Samples that would not come back are refused", "[io]") {
  TemporaryFolder folder;
  io::WebDatasetWriter writer(folder / "s.tar");
  const auto add = [&](const std::string& key, std::initializer_list<std::string_view> extensions) {
    std::vector<io::WebDatasetWriter::Field> fields;
    for (auto extension : extensions) fields.emplace_back(extension, std::span<const uint8_t>());
    writer.add(key, fields);
  };
  add("a", {"jpg"});
  REQUIRE_THROWS_WITH(add("a", {"png"}), Contains("s.tar: sample 1 'a'") && Contains("that of the sample before it"));
  for (const char* key : {"", "a.b", "d/", "d/.b", "__meta__/a"})
    REQUIRE_THROWS_WITH(add(key, {"jpg"}), Contains("a key needs a base name"));
  REQUIRE_THROWS_WITH(add("b", {}), Contains("has no files"));
  REQUIRE_THROWS_WITH(add("b", {"jpg", "jpg"}), Contains("'jpg' is repeated"));
  REQUIRE_THROWS_WITH(add("b", {"JPG"}), Contains("capitals"));
  REQUIRE_THROWS_WITH(add("b", {"a/b"}), Contains("'/'"));
  add("v1.0/b", {"jpg", "seg.png"});
  REQUIRE(writer.samples() == 2);
}

TEST_CASE("Shard lists expand as in the shell", "[io]") {
  REQUIRE(io::expand_shards("a.tar") == Lines{"a.tar"});
  REQUIRE(io::expand_shards("n-{000009..000011}.tar") == Lines{"n-000009.tar", "n-000010.tar", "n-000011.tar"});
  REQUIRE(io::expand_shards("{8..10}") == Lines{"8", "9", "10"});
  REQUIRE(io::expand_shards("{08..10}") == Lines{"08", "09", "10"});
  REQUIRE(io::expand_shards("{2..0}") == Lines{"2", "1", "0"});
  REQUIRE(io::expand_shards("{train,val}-{0..1}.{tar,}") ==
          Lines{"train-0.tar", "train-0.", "train-1.tar", "train-1.", "val-0.tar", "val-0.", "val-1.tar", "val-1."});
  REQUIRE(io::expand_shards("{000000..000123}").size() == 124);
  REQUIRE(io::expand_shards("{0..999}{0..999}").size() == 1'000'000);
}

TEST_CASE("Shard lists that are wrong name the brace", "[io]") {
  REQUIRE_THROWS_WITH(io::expand_shards("a{0..1}b{2..x}"), Contains("brace 2: {2..x} is no range"));
  REQUIRE_THROWS_WITH(io::expand_shards("{0..1"), Contains("brace 1: '{' is not closed"));
  REQUIRE_THROWS_WITH(io::expand_shards("{0..1}}"), Contains("brace 2: '}' closes nothing"));
  REQUIRE_THROWS_WITH(io::expand_shards("{a,{b}}"), Contains("brace 1: it holds another"));
  REQUIRE_THROWS_WITH(io::expand_shards("{abc}"), Contains("brace 1: {abc} is neither"));
  REQUIRE_THROWS_WITH(io::expand_shards("{}"), Contains("brace 1: {} is neither"));
  for (const char* range : {"{..3}", "{1..}", "{-1..3}", "{1..3..2}", "{0..99999999999999999999}"})
    REQUIRE_THROWS_WITH(io::expand_shards(range), Contains("is no range"));
  REQUIRE_THROWS_WITH(io::expand_shards("{0..999}{0..1000}"), Contains("brace 2: it gives 1001000 names"));
  REQUIRE_THROWS_WITH(io::expand_shards("{0..999999999}"), Contains("at most 1000000"));
  REQUIRE_THROWS_WITH(io::expand_shards("pipe:cat a.tar"), Contains("commands are never run"));
  REQUIRE_THROWS_WITH(io::expand_shards("https://host/{0..1}.tar"), Contains("is no file"));
}
