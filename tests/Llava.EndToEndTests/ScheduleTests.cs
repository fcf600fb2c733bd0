using System.Diagnostics;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Llava.EndToEndTests;

/// <summary><c>llava schedule</c> beside a running <c>llava up</c>.</summary>
public sealed class ScheduleTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-schedule-");

    private string Images => Path.Combine(_folder.FullName, "images");

    private string Data => Path.Combine(_folder.FullName, "data");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Run_twice_with_a_new_image_between_the_second_job_has_that_image_only_and_the_third_nothing()
    {
        SceneFiles.WriteImages(Images, 3);
        using var up = LlavaProcess.Start(Data, "up", "--port", "0");
        await using var ledger = Open(Path.Combine(Data, "ledger.db"));
        var added = await LlavaProcess.RunAsync(Data, "schedule", "add", "nightly", "--cron", "0 2 * * *", "--time-zone", "Europe/Berlin", "annotate", Images, "--only-new", "--max-new-tokens", "8");
        Assert.True(added.ExitCode == 0, added.Errors);
        Assert.StartsWith("nightly: every day at 02:00 (Europe/Berlin), next ", added.Output, StringComparison.Ordinal);

        Assert.Equal(3, (await RunAsync(ledger)).Count);
        File.Copy(Path.Combine(Images, "scene-0000.png"), Path.Combine(Images, "later.png"));
        Assert.Equal(["later.png"], await RunAsync(ledger));
        Assert.Empty(await RunAsync(ledger));

        var shown = JsonDocument.Parse((await LlavaProcess.RunAsync(Data, "schedule", "show", "nightly", "--json")).Output).RootElement;
        Assert.Equal([0, 1, 3], shown.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("succeeded").GetInt32()));
        await up.InterruptAsync();
        var ended = await up.FinishAsync();
        Assert.True(ended.ExitCode == 0, ended.Errors);
    }

    [Fact]
    public async Task A_process_killed_between_the_fire_and_its_job_leaves_the_fire_to_the_next()
    {
        SceneFiles.WriteImages(Images, 1);
        await using PostgresServer server = new();
        await server.StartAsync();
        await server.CreateDatabaseAsync("ledger");
        Dictionary<string, string> settings = new() { ["Llava__Ledger"] = server.ConnectionString("ledger") };
        await using var ledger = Open(server.ConnectionString("ledger"));
        await AddMissedAsync(server, settings);
        await using (var blocker = await ConnectAsync(server))
        {
            await using var watcher = await ConnectAsync(server); // a transaction sees who waits as it was when it first looked
            await using var held = await blocker.BeginTransactionAsync();
            await ExecuteAsync(blocker, "select 1 from llava.schedules for update");
            using var killed = LlavaProcess.Start(Data, settings, "up", "--port", "0");
            await UntilAsync(async () => await ExecuteAsync(watcher, "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%update schedules%'") > 0);
            await killed.KillAsync();
        }

        Assert.Empty(await ledger.GetRequiredService<JobReader>().ListAsync(new()));
        using var up = LlavaProcess.Start(Data, settings, "up", "--port", "0");
        await UntilAsync(async () => (await ledger.GetRequiredService<JobReader>().ListAsync(new())).Any(job => job.State.IsFinal()));

        var job = Assert.Single(await ledger.GetRequiredService<JobReader>().ListAsync(new()));
        Assert.Equal((JobState.Completed, 1L), (job.State, job.FinalProgress!.Succeeded));
        Assert.EndsWith("-01-01T00:00:00.000Z", job.Request.IdempotencyKey, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_told_in_words_and_what_cannot_be_is_refused_with_every_finding()
    {
        SceneFiles.WriteImages(Images, 1);
        Assert.Equal(0, (await ScheduleAsync("add", "weekly", "--cron", "0 6 * * MON", "--time-zone", "UTC", "annotate", Images)).ExitCode);

        var refused = await ScheduleAsync("add", "wrong", "--cron", "0 0 31 2 *", "--time-zone", "Europe/Berln", "annotate", Images);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("never comes", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("'Europe/Berlin'", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(2, (await ScheduleAsync("add", "gone", "--cron", "0 6 * * *", "annotate", Path.Combine(_folder.FullName, "nowhere"))).ExitCode);

        Assert.Equal("weekly: every Monday at 06:00 (UTC), paused", (await ScheduleAsync("pause", "weekly")).Lines[0]);
        Assert.StartsWith("weekly: every Monday at 06:00 (UTC), next Mon ", (await ScheduleAsync("resume", "weekly")).Output, StringComparison.Ordinal);
        var listed = Assert.Single((await ScheduleAsync("list", "--json")).Lines);
        Assert.Equal(Images, JsonDocument.Parse(listed).RootElement.GetProperty("request").GetProperty("source").GetProperty("path").GetString());
        Assert.Equal(0, (await ScheduleAsync("remove", "weekly")).ExitCode);
        Assert.Equal(3, (await ScheduleAsync("show", "weekly")).ExitCode);
    }

    private Task<LlavaRun> ScheduleAsync(params string[] arguments) => LlavaProcess.RunAsync(Data, ["schedule", .. arguments]);

    /// <summary>Runs the schedule now and waits for its job; names of what that was asked, all answered.</summary>
    private async Task<IReadOnlyList<string>> RunAsync(ServiceProvider ledger)
    {
        var run = await ScheduleAsync("run", "nightly");
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        var job = JobId.Parse(run.Lines[0]);
        var jobs = ledger.GetRequiredService<JobReader>();
        await UntilAsync(async () => (await jobs.ReadAsync(job)).State.IsFinal());
        var ended = await jobs.ReadAsync(job);
        Assert.True(ended.State == JobState.Completed, ended.Failure?.Message);
        Assert.Equal(ended.ItemCount, ended.FinalProgress!.Succeeded);
        return [.. (await ledger.GetRequiredService<ResultReader>().PageAsync(job, new())).Select(result => result.CustomId)];
    }

    /// <summary>A schedule of every New Year that has missed the last one.</summary>
    private async Task AddMissedAsync(PostgresServer server, Dictionary<string, string> settings)
    {
        using var add = LlavaProcess.Start(Data, settings, "schedule", "add", "yearly", "--cron", "0 0 1 1 *", "--time-zone", "UTC", "annotate", Images, "--max-new-tokens", "8");
        var added = await add.FinishAsync();
        Assert.True(added.ExitCode == 0, added.Errors);
        await server.ExecuteAsync($"update llava.schedules set settled_until = settled_until - {(long)TimeSpan.FromDays(366).TotalMilliseconds}", "ledger");
    }

    private static ServiceProvider Open(string location) => new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = location))
        .BuildServiceProvider();

    private static async Task<NpgsqlConnection> ConnectAsync(PostgresServer server)
    {
        NpgsqlConnection connection = new(server.ConnectionString("ledger"));
        await connection.OpenAsync();
        return connection;
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private static async Task<long> ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using NpgsqlCommand command = new(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var waited = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(waited.Elapsed < Patience, "It took too long.");
            await Task.Delay(100);
        }
    }
}
