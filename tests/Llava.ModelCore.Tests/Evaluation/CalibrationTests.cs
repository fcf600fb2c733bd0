using System.Xml.Linq;
using Llava.ModelCore.Engine.Alternatives;
using Llava.ModelCore.Evaluation;
using Llava.ModelCore.Scenes;

namespace Llava.ModelCore.Tests.Evaluation;

public sealed class CalibrationTests
{
    [Fact]
    public void The_error_is_the_mean_distance_of_the_bins_from_the_diagonal()
    {
        // Nine of ten right at 0.95, none of ten at 0.55.
        var curve = ReliabilityCurve.Of([.. Enumerable.Range(0, 10).Select(i => (0.95, i > 0)), .. Enumerable.Repeat((0.55, false), 10)]);

        Assert.Equal([(0.5, 10, 0.0), (0.9, 10, 0.9)], curve.Bins.Select(bin => (Math.Round(bin.From, 6), bin.Answers, Math.Round(bin.Accuracy, 6))));
        Assert.Equal(0.45, curve.Accuracy, 9);
        Assert.Equal(((0.05 * 10) + (0.55 * 10)) / 20, curve.ExpectedCalibrationError, 9);
    }

    [Fact]
    public void Whoever_is_certain_stands_in_the_last_bin() => Assert.Equal(0.9, Assert.Single(ReliabilityCurve.Of([(1.0, true)]).Bins).From, 9);

    [Fact]
    public void The_temperature_is_found_that_was_hidden_in_the_answers()
    {
        const double Hidden = 2.5;
        var random = new Random(1);
        var questions = Enumerable.Range(0, 20_000).Select(_ =>
        {
            // The truth is drawn by the odds, and the model says them as if the temperature were 1.
            var odds = (random.NextDouble() * 6) - 3;
            var isYes = random.NextDouble() < 1 / (1 + Math.Exp(-odds));
            return new ScoredQuestion(new(SceneQuestionKind.Existence, "?", isYes ? "yes" : "no"), [new("yes", odds * Hidden, 0.5), new("no", 0, 0.5)]);
        }).ToList();

        var found = SceneCalibration.FitTemperature(questions);

        Assert.InRange(found, Hidden * 0.95, Hidden * 1.05);
        Assert.True(SceneCalibration.Loss(questions, found) < SceneCalibration.Loss(questions, 1));
        Assert.True(Error(questions, found) < 0.02 && Error(questions, 1) > 0.05, $"{Error(questions, found)} and {Error(questions, 1)}");
    }

    [Fact]
    public void The_diagram_is_a_drawing_with_a_bar_for_each_bin()
    {
        var drawing = XDocument.Parse(ReliabilityDiagram.Svg(ReliabilityCurve.Of([(0.95, true), (0.55, false), (0.5, true)]), "A <model> & more"));
        Assert.Equal(2, drawing.Descendants().Count(element => element.Name.LocalName == "rect"));
        Assert.Contains("A <model> & more", drawing.Root!.Value, StringComparison.Ordinal);
    }

    private static double Error(IEnumerable<ScoredQuestion> questions, double temperature) =>
        ReliabilityCurve.Of([.. questions.Select(question => (question.ConfidenceAt(temperature), question.IsRight))]).ExpectedCalibrationError;
}
