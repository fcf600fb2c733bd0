using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Quantization;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>Models in four bits as a small card has them: few sequences, few tokens of prompts at once. Rounding their weights takes the host long, so this is a run of its own.</summary>
internal sealed class SmallCardsPart : BenchPart
{
    private const int PrefillTokens = 1024;

    public override string Name => "small cards";

    public override int Budget => 200;

    public override bool IsApart => true;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        var few = settings with { Sizes = settings.Sizes with { Slots = Math.Min(settings.Sizes.Slots, 2), Images = Math.Min(settings.Sizes.Images, 16) } };
        foreach (var model in settings.Sizes.Models)
        {
            foreach (var scheme in settings.Open is null ? [QuantizationScheme.None] : (QuantizationScheme[])[QuantizationScheme.Int4, QuantizationScheme.Nf4])
            {
                time.Require();
                // What the engine before has left counts as taken otherwise.
                settings.GiveBackMemory();
                EnginePart.Measure(few, lines, model, scheme.Word(), new CudaOptions { PrefillTokens = PrefillTokens }, settings.Sizes.StageTokens, Name, scheme);
            }
        }
    }
}
