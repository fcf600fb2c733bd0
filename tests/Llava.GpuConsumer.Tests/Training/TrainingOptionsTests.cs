using Llava.GpuConsumer.Training;

namespace Llava.GpuConsumer.Tests.Training;

public sealed class TrainingOptionsTests
{
    [Fact]
    public void Every_part_of_a_base_that_is_wrong_is_named_with_its_setting()
    {
        TrainingOptions options = new() { Device = "cuda:0", Processes = 2 };
        options.Bases["two words"] = new() { Folder = "/none", VisionTower = Path.GetTempPath(), Template = "v9", ProjectorType = "mlp" };

        var failures = new TrainingOptionsRules().Validate(null, options).Failures!.ToList();

        Assert.Equal(["is no name", ":Folder is '/none'", ":Template is 'v9'", ":ProjectorType is 'mlp'", ":Device is 'cuda:0'"],
            failures.Select(failure => ((string[])["is no name", ":Folder is '/none'", ":Template is 'v9'", ":ProjectorType is 'mlp'", ":Device is 'cuda:0'"]).Single(part => failure.Contains(part, StringComparison.Ordinal))));
        Assert.All(failures.SkipLast(1), failure => Assert.StartsWith("Llava:Training:Bases:two words", failure, StringComparison.Ordinal));
    }

    [Fact]
    public void A_base_is_not_looked_at_where_nothing_is_trained()
    {
        TrainingOptions options = new() { Enabled = false };
        options.Bases["vicuna"] = new();

        Assert.True(new TrainingOptionsRules().Validate(null, options).Succeeded);
    }
}
