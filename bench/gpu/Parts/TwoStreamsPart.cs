using Llava.ModelCore.Engine.Cuda;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>Rows that decode beside prompts, which is not on by itself: whether the tokens are those of one stream, then the first model's speed. Last, because what goes wrong here may take the device with it.</summary>
internal sealed class TwoStreamsPart : BenchPart
{
    private const int Requests = 6;
    private const int Tokens = 8;

    private static readonly CudaOptions Options = new() { TwoStreams = true };

    public override string Name => "two streams";

    public override int Budget => 15;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        if (settings.Open is null)
        {
            return;
        }

        Compare(settings, lines, time);
        time.Require();
        EnginePart.Measure(settings, lines, settings.Sizes.Models[0], Name, Options, settings.Sizes.StageTokens);
    }

    private void Compare(BenchSettings settings, BenchLines lines, PartTime time)
    {
        var (sizes, slots) = (settings.Sizes, Requests / 2);
        var positions = sizes.Checked.Vision!.Features + sizes.Words + Tokens;
        using MeasuredEngine asks = new(settings, sizes.Checked, Options, slots, positions);
        var requests = Enumerable.Range(0, Requests).Select(_ => asks.Request(asks.Picture(), sizes.Words, Tokens)).ToArray();
        new GreedyGate(settings, requests, slots, positions).Run(lines, time, CorrectnessPart.Noise, [(Name, Options)]);
    }
}
