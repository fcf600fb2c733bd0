using System.Text.Json;
using Llava.ModelCore.Scenes;
using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Scenes;

public sealed class SceneRowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_diamond_takes_the_place_of_one_object_and_is_asked_about_with_one_right_answer()
    {
        foreach (var drawn in Enumerable.Range(0, 300).Select(seed => Scene.FromSeed(seed, 4)))
        {
            Assert.DoesNotContain(drawn.Objects, item => item.Shape == SceneShape.Diamond);
            var scene = DiamondQuestions.WithDiamond(drawn);
            var diamond = Assert.Single(scene.Objects, item => item.Shape == SceneShape.Diamond);
            Assert.Equal(drawn.Objects.Select(item => (item.Color, item.Cell)), scene.Objects.Select(item => (item.Color, item.Cell)));

            var color = diamond.Color.ToString().ToLowerInvariant();
            var answers = DiamondQuestions.All(scene).Select(one => one.Answer).ToList();
            Assert.Equal(("yes", "diamond", color, $"{(color == "orange" ? "an" : "a")} {color} diamond"), (answers[0], answers[1], answers[2], answers[4]));
            Assert.EndsWith(Scene.RegionOf(diamond.Cell), answers[3], StringComparison.Ordinal);
            Assert.Equal("no", Assert.Single(DiamondQuestions.All(drawn)).Answer);
        }
    }

    [Fact]
    public void Rows_and_questions_are_files_that_training_and_evaluation_take()
    {
        SceneRows.Write(_folder.File("rows"), rows: 6, known: 2, maxObjects: 3, side: 32);
        SceneRows.WriteQuestions(_folder.File("rows"), scenes: 6, maxObjects: 3, side: 32);

        var rows = InstructionDataset.Load(_folder.File("rows/" + SceneRows.RowFile));
        var questions = File.ReadLines(_folder.File("rows/" + SceneRows.QuestionFile)).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        Assert.Equal((6, 0), (rows.Samples.Count, rows.Findings.Count));
        Assert.All(rows.Samples.Values, row => Assert.True(File.Exists(_folder.File("rows/" + row.Image)) && row.Turns[0].Value.StartsWith("<image>", StringComparison.Ordinal)));
        var asked = questions.Where(question => question.GetProperty("category").GetString() == DiamondQuestions.Category).Select(question => question.GetProperty("answer").GetString()!).ToList();
        Assert.Equal((6, "yes", "diamond", "no"), (asked.Count, asked[0], asked[1], asked[5]));
        Assert.True(questions.Count > 6 * 5);
        Assert.Empty(questions.Select(question => question.GetProperty("image").GetString()).Intersect(rows.Samples.Values.Select(row => row.Image)));
    }
}
