using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Tests.Parity;

namespace Llava.ModelCore.Tests.Models;

public sealed class ModelParametersTests
{
    public static TheoryData<string, string> Checkpoints => ModelCase.Where(_ => true);

    [Theory, MemberData(nameof(Checkpoints))]
    public void The_list_of_parameters_is_the_models_own(string folder, string name)
    {
        using var checkpoint = CheckpointFolder.Open(Path.Combine(folder, name));
        using var model = new LlavaModel(checkpoint.Config);
        Assert.Equal(
            model.named_parameters().Select(p => $"{p.name} [{string.Join(", ", p.parameter.shape)}]").Order(StringComparer.Ordinal),
            ModelParameters.Of(checkpoint.Config).Select(p => $"{p.Name} [{string.Join(", ", p.Shape)}]").Order(StringComparer.Ordinal));
    }
}
