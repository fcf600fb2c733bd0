using System.Collections.Concurrent;
using System.Diagnostics;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Scenes;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>JPEGs in, tokens out: files are decoded and resized on the host's cores while the device computes, as in a consumer. What is missing to text is a tokenizer's lookup.</summary>
internal sealed class PhotosPart : BenchPart
{
    private readonly ImageDecoder _decoder = new();

    public override string Name => "photos";

    public override int Budget => 30;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        var sizes = settings.Sizes;
        ThumbnailEncoder encoder = new();
        var files = Enumerable.Range(0, sizes.Images).AsParallel().Select(i => encoder.Encode(ScenePixels.Png(Scene.FromSeed(i, maxObjects: 6), sizes.PhotoSide), sizes.PhotoSide)).ToArray();
        foreach (var model in sizes.Models)
        {
            time.Require();
            MeasureAsync(settings, lines, model, files).GetAwaiter().GetResult();
        }
    }

    private async Task MeasureAsync(BenchSettings settings, BenchLines lines, BenchModel model, byte[][] files)
    {
        var sizes = settings.Sizes;
        ClipPreprocessor preprocessor = new(PreprocessorConfig.ForSide(model.Config.Vision!.ImageSize));
        using MeasuredEngine measured = new(settings, model.Config, new(), sizes.Slots, model.PromptPositions(sizes.Words) + sizes.StageTokens);
        await using var engine = measured.Start();
        // Other images than those that are measured: features are kept by content.
        var warm = await Task.WhenAll(Enumerable.Range(0, Math.Min(sizes.Images, sizes.Slots)).Select(_ => engine.SubmitAsync(measured.Request(measured.Picture(), sizes.Words, 2))));
        await Task.WhenAll(warm.Select(handle => handle.Completion));
        var (start, preparing, handles) = (Stopwatch.GetTimestamp(), 0L, new ConcurrentBag<SequenceHandle>());
        await Parallel.ForEachAsync(files, async (file, cancellation) =>
        {
            var began = Stopwatch.GetTimestamp();
            var pixels = preprocessor.Process(file, _decoder, model.Config.ImageAspect);
            Interlocked.Add(ref preparing, Stopwatch.GetTimestamp() - began);
            var request = measured.Request(new ImageInput(pixels.Values, pixels.Side), sizes.Words, sizes.StageTokens);
            handles.Add(await engine.SubmitAsync(request, cancellation));
        });
        var results = await Task.WhenAll(handles.Select(handle => handle.Completion));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (results.FirstOrDefault(result => result.Error is not null)?.Error is { } error)
        {
            throw new InvalidOperationException($"An image was not answered: {error.Message}");
        }

        lines.Write(Name, new
        {
            Model = model.Name,
            AnswerTokens = sizes.StageTokens,
            Images = files.Length,
            Side = sizes.PhotoSide,
            Cores = Environment.ProcessorCount,
            MillisecondsOfACorePerImage = Stopwatch.GetElapsedTime(0, preparing).TotalMilliseconds / files.Length,
            ImagesPerSecond = files.Length / seconds,
        });
    }
}
