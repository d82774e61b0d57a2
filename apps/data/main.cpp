// zoo-data: what data sets hold, how fast they are read, whether all of them can be, and the same in another container.
#include "apps/data/verbs.h"

int main(int argc, char** argv) {
  using namespace zoo::apps;
  return main_program(
      "zoo-data", "Data sets and their streams.",
      {plain_verb<BenchDataOptions>("describe", "a data set and the stages of its stream", describe_data),
       plain_verb<BenchDataOptions>("bench", "how fast batches come, stage by stage, and which echo factor that suggests", bench_data),
       plain_verb<ConvertDataOptions>("convert", "pictures to a folder, tar shards or TFRecords", convert_data),
       plain_verb<VerifyDataOptions>("verify", "reads everything, names every picture that can't be; exit status 1 if there is one",
                                     verify_data)},
      argc, argv);
}
