using Llava.ModelCore.Training.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Training;

/// <summary>Every recipe in the repository can be loaded; a renamed field breaks this test and not somebody's night.</summary>
public sealed class RecipeFilesTests
{
    [Fact]
    public void The_shipped_model_s_recipe_loads_and_its_sizes_are_those_of_the_shipped_model()
    {
        var recipe = SceneRecipe.Load(Repository.Path("recipes", "llava-scenes.json"));
        using var shipped = ModelCore.Checkpoints.CheckpointFolder.Open(Repository.Path("models", "llava-scenes"));

        Assert.Equal(recipe.ModelConfig().LanguageModel, shipped.Config.LanguageModel);
        Assert.Equal(recipe.ModelConfig().Projector, shipped.Config.Projector);
    }
}
