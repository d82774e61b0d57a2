// zoo-fuzz: feeds damaged files to one parser, built with address and undefined-behaviour sanitizers.
//
//   zoo-fuzz PARSER [--seconds S | --mutations N] [--seed N] [--save DIR] [--cases DIR] FILE...
//   seeds: some of its own, the inputs of the reference cases in DIR, and the FILEs
//   zoo-fuzz PARSER --once FILE                                                      parses FILE as it is
//
// Each input must end in a result or in a zoo::Error, within a second and 2 x its size + 64 MiB of memory. A finding is
// written to DIR with a line that repeats it; exit status 1.
#include "test/fuzz/guard.h"
#include "test/fuzz/mutate.h"
#include "test/fuzz/target.h"

#include <libzoo/core/error.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/safetensors.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

namespace {

using namespace zoo::fuzz;
using Clock = std::chrono::steady_clock;

enum class Outcome { read, refused };

Outcome feed(const Target& target, const Input& input, unsigned seconds) {
  // In a heap block of exactly this size, so that one byte beyond is a finding.
  const auto exact = std::make_unique<uint8_t[]>(input.size());
  std::copy(input.begin(), input.end(), exact.get());
  begin_input({exact.get(), input.size()}, seconds);
  Outcome outcome = Outcome::read;
  try {
    target.parse({exact.get(), input.size()});
  } catch (const zoo::Error& error) {
    outcome = Outcome::refused;
    if (!*error.what()) report("refused without a message");
  } catch (const std::exception& error) {
    report(fmt::format("an exception that is no zoo::Error: {}", error.what()).c_str());
  }
  end_input();
  return outcome;
}

Input read_file(const std::string& path) {
  const auto bytes = zoo::io::map_file(path);
  return {bytes.view.begin(), bytes.view.end()};
}

Input damaged(const Target& target, const std::vector<Input>& seeds, zoo::RandomStream& random) {
  const Input& seed = seeds[random.below(seeds.size())];
  const Input& other = seeds[random.below(seeds.size())];
  if (!target.open || random.below(2) == 0) return mutate(seed, other, random);
  std::vector<Input> parts;
  try {
    parts = target.open(seed);
  } catch (const zoo::Error&) {
    // A seed that was meant to be refused.
  }
  if (parts.empty()) return mutate(seed, other, random);
  auto& part = parts[random.below(parts.size())];
  const Input& piece = parts[random.below(parts.size())];
  part = mutate(part, Input(piece), random);
  return target.close(parts);
}

const Target* find(const std::vector<Target>& all, const std::string& name) {
  for (const auto& target : all) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

// in/bytes of the reference cases of the target's op.
std::vector<Input> case_inputs(const Target& target, const std::filesystem::path& folder) {
  std::vector<Input> inputs;
  if (target.case_op.empty() || folder.empty()) return inputs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto file = zoo::io::read_safetensors(zoo::io::map_file(entry.path()), entry.path().string());
    const auto op = file.metadata.find("op");
    const auto bytes = file.tensors.find("in/bytes");
    if (op == file.metadata.end() || op->second != target.case_op || bytes == file.tensors.end()) continue;
    const auto values = bytes->second.span<uint8_t>();
    inputs.emplace_back(values.begin(), values.end());
  }
  return inputs;
}

std::vector<Input> load_seeds(const Target& target, const std::vector<std::string>& files, const std::filesystem::path& cases) {
  std::vector<Input> seeds;
  for (const auto& seed : target.seeds()) {
    if (feed(target, seed, 10) != Outcome::read) throw zoo::Error("a seed of the target's own is refused");
    seeds.push_back(seed);
  }
  auto given = case_inputs(target, cases);
  for (const auto& file : files) given.push_back(read_file(file));
  for (auto& input : given) {
    feed(target, input, 10);
    seeds.push_back(std::move(input));
  }
  if (seeds.empty()) throw zoo::UserError(fmt::format("{} has no seeds", target.name), "name a valid file");
  return seeds;
}

}  // namespace

int main(int argc, char** argv) {
  const auto all = targets();
  std::string parser, once, cases, save = ".";
  std::vector<std::string> files;
  double seconds = 0;
  uint64_t mutations = 0, seed = 0;
  CLI::App app{"Feeds damaged files to one parser."};
  std::vector<std::string> names;
  for (const auto& target : all) names.push_back(target.name);
  app.add_option("parser", parser)->required()->check(CLI::IsMember(names));
  app.add_option("files", files, "seeds");
  app.add_option("--seconds", seconds, "stop after S seconds");
  app.add_option("--mutations", mutations, "stop after N inputs");
  app.add_option("--seed", seed, "of the random stream; 0 takes the time");
  app.add_option("--once", once, "parse this file as it is and say how it ends");
  app.add_option("--cases", cases, "folder with reference cases")->check(CLI::ExistingDirectory);
  app.add_option("--save", save, "folder for a finding");
  CLI11_PARSE(app, argc, argv);
  const Target& target = *find(all, parser);

  try {
    install_guard(std::filesystem::path(save) / fmt::format("crash-{}", parser), fmt::format("{} {} --once", argv[0], parser));
    if (!once.empty()) {
      const Input input = read_file(once);
      fmt::print("{}\n", feed(target, input, 0) == Outcome::read ? "read" : "refused");
      return 0;
    }
    if (seed == 0) seed = uint64_t(Clock::now().time_since_epoch().count());
    if (seconds == 0 && mutations == 0) mutations = 10000;
    const auto seeds = load_seeds(target, files, cases);
    fmt::print("{}: {} seeds, random seed {}\n", parser, seeds.size(), seed);
    std::fflush(stdout);

    const auto start = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
    zoo::RandomStream random({.seed = seed});
    uint64_t inputs = 0, read = 0;
    double slowest = 0;
    while ((mutations == 0 || inputs < mutations) && (seconds == 0 || elapsed() < seconds)) {
      const Input input = damaged(target, seeds, random);
      const double before = elapsed();
      read += feed(target, input, 1) == Outcome::read;
      slowest = std::max(slowest, elapsed() - before);
      ++inputs;
    }
    fmt::print("{}: {} inputs, {} read, {} refused, slowest {:.0f} ms, no findings\n", parser, inputs, read, inputs - read, 1000 * slowest);
    return 0;
  } catch (const zoo::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
