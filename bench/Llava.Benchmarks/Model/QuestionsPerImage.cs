using System.Diagnostics;

namespace Llava.Benchmarks.Model;

/// <summary>Ten questions about each image, against one: the image is to be read once, and each answer to cost less.</summary>
internal static class QuestionsPerImage
{
    private static readonly string[] Questions =
    [
        "Describe this image.", "How many objects are there?", "Is there a red circle?", "Is there a blue square?", "What is the color of the background?",
        "Is there a green triangle?", "What is at the top left?", "What is at the bottom right?", "Is there a yellow star?", "What is in the center?",
    ];

    private const int WarmSide = 200;
    private const int TenSide = 201;
    private const int OneSide = 202;

    public static async Task RunAsync(int images, CancellationToken cancellation)
    {
        await using var service = await ModelService.StartAsync(cancellation);
        await service.RunAsync(ModelService.About(service.Draw(images / 10, WarmSide).Folder, Questions), cancellation);

        // The same questions as often, each about an image of its own.
        var alone = service.AboutEach(service.Draw(images, OneSide).Images, Questions);
        var clock = Stopwatch.StartNew();
        await service.RunAsync(alone, cancellation);
        var one = clock.Elapsed.TotalSeconds / images;

        var before = service.Runner.Statistics!;
        var all = ModelService.About(service.Draw(images, TenSide).Folder, Questions);
        clock.Restart();
        var progress = await service.RunAsync(all, cancellation);
        var ten = clock.Elapsed.TotalSeconds / (images * Questions.Length);
        var after = service.Runner.Statistics!;
        var (hits, possible) = (after.PrefixHits - before.PrefixHits, images * (Questions.Length - 1L));
        Figures.Write("ten questions per image", new
        {
            Images = images,
            Answers = progress.Succeeded,
            ImagesEncoded = after.ImagesEncoded - before.ImagesEncoded,
            PrefixHits = hits,
            PrefixHitsPossible = possible,
            HitRate = (double)hits / possible,
            progress.PromptTokens,
            progress.CachedTokens,
            MillisecondsPerAnswer = ten * 1000,
            MillisecondsPerAnswerOfOneQuestion = one * 1000,
            Ratio = one / ten,
        });
    }
}
