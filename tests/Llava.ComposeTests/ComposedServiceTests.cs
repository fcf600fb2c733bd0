using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;

namespace Llava.ComposeTests;

public sealed class ComposedServiceTests(ComposedService service) : IClassFixture<ComposedService>
{
    // What processes count follows the ledger within a sample and an export.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1.5);

    private static readonly string[] ForbiddenLabels = ["llava_job_id", "llava_chunk_number", "llava_item_number", "tenant", "llava_tenant", "worker", "path"];

    [Fact]
    public async Task A_job_that_came_by_message_is_answered()
    {
        var job = await service.Jobs.ReadAsync(service.Job);

        Assert.Equal(JobState.Completed, job.State);
        Assert.Equal((ComposedService.Answered, ComposedService.Failed), (job.FinalProgress!.Succeeded, job.FinalProgress.Failed));
    }

    [Fact]
    public void A_batch_goes_through_the_folder_that_the_processes_share()
    {
        Assert.Equal(ComposedService.Lines, service.BatchAnswers.Count);
        Assert.All(service.BatchAnswers, line => Assert.Equal(200, JsonDocument.Parse(line).RootElement.GetProperty("response").GetProperty("status_code").GetInt32()));
    }

    [Fact]
    public async Task A_model_that_is_trained_there_is_served_there()
    {
        var rows = SceneLines.Of(10).Select(image => JsonSerializer.Serialize(new { messages = new object[] { SceneLines.Question(image), new { role = "assistant", content = "A circle." } } }));
        var run = await service.Api.CreateAsync("/v1/fine_tuning/jobs", new
        {
            model = "llava-scenes",
            training_file = await service.Api.SendAsync(rows, "fine-tune"),
            max_steps = 1,
            hyperparameters = new { batch_size = 1 },
        });
        var model = (await service.Api.UntilAsync($"/v1/fine_tuning/jobs/{run}", "succeeded")).GetProperty("fine_tuned_model").GetString()!;

        await EventuallyAsync(async () => Assert.Contains(model, await service.Api.ModelsAsync()));
    }

    [Fact]
    public async Task What_all_processes_counted_is_what_the_ledger_holds()
    {
        var jobs = (await service.Jobs.ListAsync(new())).Select(job => (job.Id, Progress: job.FinalProgress!)).ToList();
        var errors = (await Task.WhenAll(jobs.Select(job => service.Results.ErrorsByCauseAsync(job.Id)))).SelectMany(of => of).ToList();
        Assert.Equal(Sum(progress => progress.Failed), errors.Sum(error => error.Count));

        await EventuallyAsync(async () =>
        {
            var metrics = await service.MetricsAsync();
            Assert.Equal(Sum(progress => progress.Succeeded), Total("llava_items_finished_total", ("llava_item_outcome", "succeeded"), ("llava_model", "llava-scenes")));
            Assert.Equal(Sum(progress => progress.Failed), Total("llava_items_finished_total", ("llava_item_outcome", "failed")));
            Assert.All(errors, error => Assert.Equal(error.Count, Total("llava_items_finished_total", ("error_type", error.Code))));
            Assert.Equal(Sum(progress => progress.PromptTokens), Total("llava_tokens_total", ("llava_token_kind", "prompt")));
            Assert.Equal(Sum(progress => progress.CompletionTokens), Total("llava_tokens_total", ("llava_token_kind", "completion")));
            Assert.Equal(Sum(progress => progress.CachedTokens), Total("llava_tokens_total", ("llava_token_kind", "cached")));
            Assert.Equal(Sum(progress => progress.Succeeded), Total("llava_item_time_to_first_token_seconds_count"));
            Assert.Equal(Total("llava_chunks_dispatched_total"), Total("llava_chunks_claimed_total"));
            Assert.All(metrics.Where(one => one.All.Any(series => series.Name == "llava_jobs")), scheduler =>
            {
                Assert.Equal(jobs.Count, scheduler.Sum("llava_jobs", ("llava_job_state", "completed")));
                Assert.Equal(0, scheduler.Sum("llava_backlog_items"));
                Assert.Equal(1, scheduler.Sum("llava_workers", ("llava_model", "llava-scenes")));
            });

            double Total(string name, params (string, string)[] labels) => metrics.Sum(one => one.Sum(name, labels));
        });

        double Sum(Func<JobProgress, long> of) => jobs.Sum(job => of(job.Progress));
    }

    [Fact]
    public async Task Every_metric_and_label_of_the_board_and_the_alerts_is_reported()
    {
        var series = (await service.MetricsAsync()).SelectMany(one => one.All).ToList();
        var names = series.Select(one => one.Name).ToHashSet();
        HashSet<string> labels = [.. series.SelectMany(one => one.Labels.Keys), "instance", "job", "le"];

        Assert.All(MonitoringFiles.Panels.Concat(MonitoringFiles.Alerts), asked =>
        {
            Assert.All(MonitoringFiles.MetricsOf(asked.Expression), metric => Assert.True(names.Contains(metric), $"'{asked.Name}' asks for '{metric}', which nobody reports."));
            Assert.All(MonitoringFiles.LabelsOf(asked.Expression), label => Assert.True(labels.Contains(label), $"'{asked.Name}' asks for the label '{label}', which nothing has."));
        });
        Assert.True(MonitoringFiles.Panels.SelectMany(panel => MonitoringFiles.MetricsOf(panel.Expression)).Distinct().Count() > 20);
    }

    [Fact]
    public async Task Every_metric_of_ours_is_documented()
    {
        var documentation = await File.ReadAllTextAsync(Testing.Repository.Path("docs", "operations.md"));
        var series = (await service.MetricsAsync()).SelectMany(one => one.All).Select(one => one.Name).Where(name => name.StartsWith("llava_", StringComparison.Ordinal));

        Assert.All(series.Select(BareName).Distinct(), name => Assert.Contains($"`{name}`", documentation, StringComparison.Ordinal));

        static string BareName(string name) => new[] { "_bucket", "_sum", "_count" }.Aggregate(name, (text, suffix) => text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text);
    }

    [Fact]
    public async Task No_label_tells_jobs_items_tenants_or_files_apart()
    {
        var labels = (await service.MetricsAsync()).SelectMany(one => one.All).SelectMany(series => series.Labels).ToList();

        Assert.DoesNotContain(labels, label => ForbiddenLabels.Contains(label.Key));
        Assert.DoesNotContain(labels, label => label.Value.Contains(service.Job.ToString(), StringComparison.Ordinal) || label.Value.Contains(".png", StringComparison.Ordinal) || label.Value.Contains("/images", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Health_names_each_dependency_and_no_secret()
    {
        Dictionary<string, string[]> expected = new()
        {
            ["scheduler"] = ["broker", "broker-outgoing", "ledger"],
            ["consumer"] = ["broker", "broker-outgoing", "ledger", "models"],
            ["dashboard"] = ["broker", "ledger"],
        };
        foreach (var process in service.Processes)
        {
            var health = await process.WaitUntilReadyAsync();
            Assert.Equal("healthy", health.GetProperty("status").GetString());
            Assert.Equal(expected[process.Service], health.GetProperty("checks").EnumerateObject().Select(check => check.Name).Order());
            Assert.DoesNotContain("127.0.0.1", health.GetRawText(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_health_check_of_the_image_passes_in_each_process() =>
        Assert.All(service.Processes, process => Assert.Contains("healthy", process.CheckHealth(), StringComparison.Ordinal));

    [Fact]
    public async Task Beside_the_pages_metrics_take_a_key_and_their_own_port_shows_nothing_else()
    {
        var dashboard = Assert.Single(service.Processes, process => process.Service == "dashboard");

        using var stranger = await dashboard.GetAsync("/metrics");
        Assert.DoesNotContain("# TYPE", await stranger.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
        using var metrics = await dashboard.GetAsync("/metrics", onMetricsPort: true);
        Assert.Contains("# TYPE", await metrics.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        foreach (var path in (string[])["/", "/login", "/hangfire", "/health"])
        {
            using var page = await dashboard.GetAsync(path, onMetricsPort: true);
            Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        }
    }

    [Fact]
    public async Task A_collector_gets_spans_of_every_process_and_their_metrics() => await EventuallyAsync(() =>
    {
        Assert.All((string[])["llava-scheduler", "submit job", "expand job", "dispatch chunks", "llava-consumer", "claim chunk", "run chunk", "answer item", "prefill", "decode", "save results"], text =>
            Assert.True(service.Collector.Received("/v1/traces", text), text));
        return Task.CompletedTask;
    });

    [Fact]
    public void Logs_are_JSON_with_the_job_and_the_trace()
    {
        var lines = service.Processes.Where(process => process.Service == "scheduler").SelectMany(process => process.Log.Split('\n'))
            .Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement).ToList();

        var expanded = Assert.Single(lines, line => line.GetProperty("EventId").GetInt32() == 2010 && ScopesOf(line).Any(scope => scope.TryGetProperty("Job", out var job) && job.ToString() == service.Job.ToString()));
        Assert.Contains(ScopesOf(expanded), scope => scope.TryGetProperty("TraceId", out var trace) && trace.GetString()!.Length == 32);

        static IEnumerable<JsonElement> ScopesOf(JsonElement line) => line.GetProperty("Scopes").EnumerateArray().Where(scope => scope.ValueKind == JsonValueKind.Object);
    }

    [Theory]
    [InlineData("scheduler")]
    [InlineData("dashboard")]
    public async Task A_process_ends_in_order_within_the_time_that_Compose_gives_it(string name)
    {
        await using var process = service.Start(name, "another");
        await process.WaitUntilReadyAsync();

        Assert.Equal(0, await process.StopAsync(service.GraceOf(name)));
    }

    private static async Task EventuallyAsync(Func<Task> check)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await check();
                return;
            }
            catch (Xunit.Sdk.XunitException) when (waited.Elapsed < Patience)
            {
                await Task.Delay(250);
            }
        }
    }
}
