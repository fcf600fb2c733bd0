using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Llava.Hosting.Transport;

namespace Llava.Benchmarks.Queue;

/// <summary><c>llava bench queue</c> in one process and on servers, beside what the servers do with nothing around them.</summary>
internal static class QueueComparison
{
    private const int ChunkItems = 32;

    public static async Task RunAsync(int items, int rounds, CancellationToken cancellation)
    {
        Figures.Write("queue, embedded", await PipelineAsync(items, rounds, [], cancellation));
        await using var cluster = await ServiceCluster.StartAsync();
        RabbitMqOptions broker = new() { Host = "127.0.0.1", Port = cluster.BrokerPort };
        List<(JsonObject Pipeline, double Broker, double Database)> runs = [];
        for (var round = 0; round < rounds; round++)
        {
            // In turn, so that whatever else the machine does meets all three alike.
            var pipeline = await PipelineAsync(items, rounds: 1, cluster.Settings, cancellation);
            var brokerAlone = await BrokerCeiling.RunAsync(broker, items / ChunkItems, cancellation) * ChunkItems;
            runs.Add((pipeline, brokerAlone, await LedgerCeiling.RunAsync(cluster.ConnectionString, items, cancellation)));
        }

        var median = runs.OrderBy(run => PerSecond(run.Pipeline)).ElementAt(rounds / 2);
        median.Pipeline["broker_alone_items_per_second"] = median.Broker;
        median.Pipeline["share_of_broker_alone"] = PerSecond(median.Pipeline) / median.Broker;
        median.Pipeline["database_alone_items_per_second"] = median.Database;
        median.Pipeline["share_of_database_alone"] = PerSecond(median.Pipeline) / median.Database;
        Figures.Write("queue, RabbitMQ and PostgreSQL", median.Pipeline);
    }

    private static double PerSecond(JsonObject figures) => (double)figures["items_per_second"]!;

    private static async Task<JsonObject> PipelineAsync(int items, int rounds, Dictionary<string, string> settings, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), ["bench", "queue", "--items", Text(items), "--chunk", Text(ChunkItems), "--rounds", Text(rounds)]) { RedirectStandardOutput = true };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? (JsonObject)JsonNode.Parse(output)! : throw new InvalidOperationException($"'llava bench queue' ended with {process.ExitCode}: {output}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
