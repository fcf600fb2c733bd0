using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Training;

/// <summary>Every recipe in the repository can be loaded; a renamed field breaks this test and not somebody's night.</summary>
public sealed class RecipeFilesTests
{
    /// <summary>The recipes of the published scripts (spec 7.2), by their paths below <c>recipes/</c>.</summary>
    public static TheoryData<string> Published => [.. Directory.EnumerateDirectories(Repository.Path("recipes"))
        .SelectMany(Directory.EnumerateFiles).Select(file => Path.GetRelativePath(Repository.Path("recipes"), file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Published))]
    public void A_published_recipe_asks_for_nothing_but_its_files(string recipe)
    {
        var error = Assert.Throws<TrainingValidationException>(() => TrainingRecipe.Load(Repository.Path("recipes", recipe)));

        Assert.All(error.Findings, finding => Assert.Matches(@"^(base|vision_tower|projector|data|image_folder) is '.*'; (it must be (the folder of a checkpoint|a folder, or .*)|there is no such (file|folder))\.$", finding));
    }

    [Fact]
    public void Every_published_script_has_a_recipe() => Assert.Equal(11, Published.Count);

    [Fact]
    public void The_shipped_model_s_recipe_loads_and_its_sizes_are_those_of_the_shipped_model()
    {
        var recipe = SceneRecipe.Load(Repository.Path("recipes", "llava-scenes.json"));
        using var shipped = ModelCore.Checkpoints.CheckpointFolder.Open(Repository.Path("models", "llava-scenes"));

        Assert.Equal(recipe.ModelConfig().LanguageModel, shipped.Config.LanguageModel);
        Assert.Equal(recipe.ModelConfig().Projector, shipped.Config.Projector);
    }
}
