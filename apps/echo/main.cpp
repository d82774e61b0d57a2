// zoo-echo: experiments that show what data echoing gives, and where it does not help.
#include "apps/common/program.h"
#include "apps/echo/compare.h"
#include "apps/echo/learning_curve.h"
#include <libzoo/train/run_options.h>

int main(int argc, char** argv) {
  using namespace zoo::apps;
  return main_program(
      "zoo-echo", "Data echoing: what repeating items costs and gives.",
      {run_verb<LearningCurveOptions>("learning_curve", "fresh items to a target accuracy, for each way to echo", learning_curve,
                                      {.recipe = "echo/learning_curve"}),
       run_verb<CompareOptions>("compare", "time and fresh pictures that a recipe needs with different factors", compare,
                                {.recipe = "echo/compare",
                                 .run_options = [](const CompareOptions&, zoo::train::RunOptions& run) { run.checkpoint_every = 1; }})},
      argc, argv);
}
