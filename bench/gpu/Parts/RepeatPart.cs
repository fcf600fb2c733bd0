using Llava.ModelCore.Engine.Cuda;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>The first model's best of both sides once more, ours first: a ratio that holds only in one order is none.</summary>
internal sealed class RepeatPart : BenchPart
{
    public override string Name => "repeat";

    public override int Budget => 45;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        var model = settings.Sizes.Models[0];
        EnginePart.Measure(settings, lines, model, EnginePart.Everything, new CudaOptions(), settings.Sizes.StageTokens, "engine again");
        var best = lines.Of("baseline").Where(figures => (string?)figures["model"] == model.Name && (int)figures["answer_tokens"]! == settings.Sizes.StageTokens).MaxBy(figures => (double)figures["images_per_second"]!);
        if (best is not null)
        {
            BaselinePart.Measure(settings, lines, model, [settings.Sizes.StageTokens], [(int)best["batch"]!], "baseline again", time);
        }
    }
}
