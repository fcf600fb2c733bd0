using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

public sealed class TrainingFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Only_the_newest_training_checkpoints_are_kept()
    {
        var training = new TrainingFolder(_folder.File("run"));

        foreach (var step in new[] { 2, 10, 9, 30 })
        {
            training.Save(step, limit: 2, folder => File.WriteAllText(Path.Combine(folder, "state"), $"{step}"));
        }

        Assert.Equal([10, 30], training.Steps);
        Assert.Equal("30", File.ReadAllText(Path.Combine(training.At(30), "state")));
    }

    [Fact]
    public void A_save_that_dies_leaves_the_earlier_checkpoint_and_no_half_one()
    {
        var training = new TrainingFolder(_folder.File("run"));
        training.Save(1, limit: 1, folder => File.WriteAllText(Path.Combine(folder, "state"), "whole"));

        Assert.Throws<IOException>(() => training.Save(2, limit: 1, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "state"), "ha");
            throw new IOException("disk full");
        }));

        Assert.Equal([1], training.Steps);
        training.RemoveIncomplete();
        Assert.Equal([training.At(1)], Directory.GetDirectories(training.Root));
    }

    [Fact]
    public void Saving_a_step_again_keeps_what_is_there()
    {
        var training = new TrainingFolder(_folder.File("run"));
        training.Save(1, limit: 1, folder => File.WriteAllText(Path.Combine(folder, "state"), "whole"));

        training.Save(1, limit: 1, _ => Assert.Fail("written again"));

        Assert.Equal("whole", File.ReadAllText(Path.Combine(training.At(1), "state")));
    }

    [Fact]
    public void Folders_of_other_names_are_not_checkpoints()
    {
        Directory.CreateDirectory(_folder.File("checkpoint-best"));
        Directory.CreateDirectory(_folder.File("checkpoint-7.incomplete"));

        Assert.Empty(new TrainingFolder(_folder.Path).Steps);
    }
}
