using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>The reference runner.</summary>
public sealed class TorchRunnerTests : RunnerTests
{
    [Fact]
    public void A_decoding_step_stays_within_its_budget_of_managed_bytes()
    {
        const int Rows = 8;
        // TorchSharp wraps every tensor in objects of 200 to 300 bytes: 10 for a row's attention and 45 for the rest of a layer.
        // Measured: 51 kB with 8 rows and 2 layers.
        var budget = 300L * Requests.Config().LanguageModel.Layers * ((Rows * 10) + 45);
        Assert.InRange(BytesOfDecodingStep(Rows), 0, budget);
    }

    private protected override void Choose(EngineOptions options) => options.Runner = RunnerKind.Torch;
}
