#include <libzoo/dist/place.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace zoo::dist {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<int> integer(const char* name, int low, int high) {
  const auto text = variable(name);
  if (!text) return {};
  int value = 0;
  const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || stop != text->data() + text->size() || value < low || value > high)
    throw UserError(fmt::format("the environment says {}={}, which is no integer from {} to {}", name, *text, low, high),
                    "start the ranks with torchrun, srun or mpirun, or unset the variable");
  return value;
}

struct Launcher {
  const char *rank, *size, *local_rank;
};
constexpr std::array<Launcher, 3> kLaunchers{{{"RANK", "WORLD_SIZE", "LOCAL_RANK"},
                                              {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
                                              {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"}}};
constexpr int kMostRanks = 1 << 20;

}  // namespace

std::optional<Place> place_from_environment() {
  for (const auto& launcher : kLaunchers) {
    const auto rank = integer(launcher.rank, 0, kMostRanks), size = integer(launcher.size, 1, kMostRanks);
    if (!rank || !size) continue;
    if (*size == 1) return {};
    if (*rank >= *size) throw UserError(fmt::format("the environment says {}={} of {}={}", launcher.rank, *rank, launcher.size, *size));
    Place place{.rank = *rank, .size = *size, .local_rank = integer(launcher.local_rank, 0, kMostRanks).value_or(*rank)};
    const auto address = variable("MASTER_ADDR");
    const auto port = integer("MASTER_PORT", 1, 65535);
    if (!address || !port)
      throw UserError(fmt::format("this is rank {} of {}, and {} is not set", *rank, *size, address ? "MASTER_PORT" : "MASTER_ADDR"),
                      "MASTER_ADDR and MASTER_PORT say where rank 0 can be reached; torchrun sets them");
    place.address = *address;
    place.port = *port;
    place.launcher_listens = variable("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True";
    place.prefix = "zoo/" + variable("TORCHELASTIC_RESTART_COUNT").value_or("0");
    if (const auto seconds = integer("ZOO_DIST_TIMEOUT", 1, 1'000'000)) place.timeout = std::chrono::seconds(*seconds);
    return place;
  }
  return {};
}

}  // namespace zoo::dist
