#include "coffer/metrics/registry.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace coffer::metrics {
namespace {

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(RegistryTest, SaysEachFamilyOnceWithItsHelpItsTypeAndItsSeries) {
  Registry registry;
  registry.Add({"coffer_things_total", "Things done.", Type::kCounter}, [](Samples& samples) {
    samples.Add(std::uint64_t{3}, {{"kind", "a"}});
    samples.Add(std::uint64_t{4}, {{"kind", "b"}});
  });
  registry.AddValue({"coffer_up", "Whether it is.", Type::kGauge}, [] { return 1.0; });
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP coffer_things_total Things done.\n"
            "# TYPE coffer_things_total counter\n"
            "coffer_things_total{kind=\"a\"} 3\n"
            "coffer_things_total{kind=\"b\"} 4\n"
            "# HELP coffer_up Whether it is.\n"
            "# TYPE coffer_up gauge\n"
            "coffer_up 1\n");
}

TEST(RegistryTest, ReadsItsSourcesAnewEachTime) {
  Registry registry;
  Counter counter;
  registry.AddValue({"coffer_things_total", "Things done.", Type::kCounter},
                    [&] { return static_cast<double>(counter.Value()); });
  EXPECT_TRUE(Has(registry.PrometheusText(), "coffer_things_total 0\n"))
      << registry.PrometheusText();
  counter.Add(7);
  EXPECT_TRUE(Has(registry.PrometheusText(), "coffer_things_total 7\n"))
      << registry.PrometheusText();
}

TEST(RegistryTest, WritesAHistogramCumulativelyAndInSeconds) {
  Registry registry;
  DurationHistogram histogram;
  histogram.Observe(std::chrono::microseconds(20));
  histogram.Observe(std::chrono::milliseconds(3));
  histogram.Observe(std::chrono::minutes(1));
  registry.Add({"coffer_wait_seconds", "Waiting.", Type::kHistogram}, [&](Samples& samples) {
    samples.Add(histogram.Counts(), {{"of", "x"}});
  });
  const std::string text = registry.PrometheusText();
  EXPECT_TRUE(Has(text, "coffer_wait_seconds_count{of=\"x\"} 3\n")) << text;
  EXPECT_TRUE(Has(text, "coffer_wait_seconds_sum{of=\"x\"} 60.00302")) << text;
  EXPECT_TRUE(Has(text, "_bucket{of=\"x\",le=\"1e-05\"} 0\n")) << text;
  EXPECT_TRUE(Has(text, "_bucket{of=\"x\",le=\"0.005\"} 2\n")) << text;
  EXPECT_TRUE(Has(text, "_bucket{of=\"x\",le=\"10\"} 2\n")) << text;
  EXPECT_TRUE(Has(text, "_bucket{of=\"x\",le=\"+Inf\"} 3\n")) << text;
}

TEST(RegistryTest, LetsNoLabelBeginALineOfItsOwn) {
  Registry registry;
  registry.Add({"coffer_up", "Whether it is.", Type::kGauge}, [](Samples& samples) {
    samples.Add(1.0, {{"path", "a\"} 1\ncoffer_up{path=\"b\\"}});
  });
  EXPECT_FALSE(Has(registry.PrometheusText(), "\ncoffer_up{path=\"b"));
}

TEST(RegistryDeathTest, TakesNoNameTwice) {
  Registry registry;
  registry.AddValue({"coffer_up", "Whether it is.", Type::kGauge}, [] { return 1.0; });
  EXPECT_DEATH(registry.AddValue({"coffer_up", "Again.", Type::kGauge}, [] { return 1.0; }), "");
}

}  // namespace
}  // namespace coffer::metrics
