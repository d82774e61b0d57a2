// What launchers say in the environment.
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/dist/place.h>

#include <cstdlib>
#include <map>
#include <string>

using namespace zoo;

namespace {

// Sets variables for as long as it lives, all others of launchers being unset.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& variables) {
    for (const char* name : kNames) unsetenv(name);
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const char* name : kNames) unsetenv(name);
  }

 private:
  static constexpr const char* kNames[] = {"RANK",
                                           "WORLD_SIZE",
                                           "LOCAL_RANK",
                                           "MASTER_ADDR",
                                           "MASTER_PORT",
                                           "OMPI_COMM_WORLD_RANK",
                                           "OMPI_COMM_WORLD_SIZE",
                                           "OMPI_COMM_WORLD_LOCAL_RANK",
                                           "SLURM_PROCID",
                                           "SLURM_NTASKS",
                                           "SLURM_LOCALID",
                                           "TORCHELASTIC_USE_AGENT_STORE",
                                           "TORCHELASTIC_RESTART_COUNT",
                                           "ZOO_DIST_TIMEOUT"};
};

}  // namespace

TEST_CASE("A rank's place is read from what torchrun, Slurm and Open MPI set", "[dist]") {
  {
    Environment none({});
    REQUIRE(!dist::place_from_environment());
  }
  {
    Environment torchrun({{"RANK", "3"},
                          {"WORLD_SIZE", "8"},
                          {"LOCAL_RANK", "1"},
                          {"MASTER_ADDR", "node7"},
                          {"MASTER_PORT", "12345"},
                          {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                          {"TORCHELASTIC_RESTART_COUNT", "2"},
                          {"ZOO_DIST_TIMEOUT", "30"}});
    const auto place = dist::place_from_environment();
    REQUIRE(place);
    REQUIRE(place->rank == 3);
    REQUIRE(place->size == 8);
    REQUIRE(place->local_rank == 1);
    REQUIRE(place->address == "node7");
    REQUIRE(place->port == 12345);
    REQUIRE(place->launcher_listens);
    REQUIRE(place->prefix == "zoo/2");
    REQUIRE(place->timeout == std::chrono::seconds(30));
  }
  for (const std::string names :
       {"SLURM_PROCID SLURM_NTASKS SLURM_LOCALID", "OMPI_COMM_WORLD_RANK OMPI_COMM_WORLD_SIZE OMPI_COMM_WORLD_LOCAL_RANK"}) {
    const size_t first = names.find(' '), second = names.find(' ', first + 1);
    Environment cluster({{names.substr(0, first), "1"},
                         {names.substr(first + 1, second - first - 1), "2"},
                         {names.substr(second + 1), "0"},
                         {"MASTER_ADDR", "a"},
                         {"MASTER_PORT", "1"}});
    const auto place = dist::place_from_environment();
    REQUIRE(place);
    REQUIRE(place->rank == 1);
    REQUIRE(place->local_rank == 0);
    REQUIRE(!place->launcher_listens);
  }
  Environment single({{"RANK", "0"}, {"WORLD_SIZE", "1"}});
  REQUIRE(!dist::place_from_environment());
}

TEST_CASE("An environment that makes no sense is refused with the variable's name", "[dist]") {
  const auto said = [](const std::map<std::string, std::string>& variables) -> std::string {
    Environment environment(variables);
    try {
      dist::place_from_environment();
    } catch (const UserError& error) {
      return error.what();
    }
    return "nothing";
  };
  REQUIRE_THAT(said({{"RANK", "one"}, {"WORLD_SIZE", "2"}}), Contains("RANK=one"));
  REQUIRE_THAT(said({{"RANK", "2"}, {"WORLD_SIZE", "2"}}), Contains("RANK=2 of WORLD_SIZE=2"));
  REQUIRE_THAT(said({{"RANK", "1"}, {"WORLD_SIZE", "2"}}), Contains("MASTER_ADDR is not set"));
  REQUIRE_THAT(said({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "0"}}), Contains("MASTER_PORT=0"));
}
