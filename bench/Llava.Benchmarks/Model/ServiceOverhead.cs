using System.Diagnostics;
using Llava.Contracts;
using Llava.GpuConsumer.Runners;

namespace Llava.Benchmarks.Model;

/// <summary>What queue, ledger and scheduling add to a job that the model limits: the same questions to the engine directly and as a job, in turn.</summary>
internal static class ServiceOverhead
{
    private const string Prompt = "Describe this image.";

    // Each run asks about images of a size of its own, which no cache has seen and which the model cannot tell apart.
    private const int FirstSide = 200;

    public static async Task RunAsync(int images, int rounds, CancellationToken cancellation)
    {
        await using var service = await ModelService.StartAsync(cancellation);
        var side = FirstSide;
        await service.RunAsync(ModelService.About(service.Draw(images / 4, side++).Folder, Prompt), cancellation);
        List<double> bare = [];
        List<double> served = [];
        for (var round = 0; round < rounds; round++)
        {
            bare.Add(await BareAsync(service.Runner, service.Draw(images, side++).Images, cancellation));
            var job = ModelService.About(service.Draw(images, side++).Folder, Prompt);
            var clock = Stopwatch.StartNew();
            await service.RunAsync(job, cancellation);
            served.Add(clock.Elapsed.TotalSeconds);
        }

        var (engine, whole) = (Median(bare), Median(served));
        Figures.Write("service overhead", new
        {
            Images = images,
            Rounds = rounds,
            EngineSeconds = engine,
            EngineImagesPerSecond = images / engine,
            ServiceSeconds = whole,
            ServiceImagesPerSecond = images / whole,
            Overhead = (whole / engine) - 1,
        });
    }

    /// <summary>All images at once; the engine takes as many as it has slots.</summary>
    private static async Task<double> BareAsync(IItemRunner runner, IReadOnlyList<string> images, CancellationToken cancellation)
    {
        var request = ModelService.About(Path.GetDirectoryName(images[0])!, Prompt);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(images.Select((image, number) => runner.RunAsync(new WorkItem(new JobId(1), number, [image], Prompt, request), cancellation)));
        return clock.Elapsed.TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
