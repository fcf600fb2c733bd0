using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Tests.Training;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void The_first_update_of_a_run_with_warm_up_has_rate_zero_and_the_last_cosine_step_nearly_so()
    {
        var schedule = new LearningRateSchedule { Steps = 100, WarmupSteps = LearningRateSchedule.WarmupFor(0.03, 100) };

        Assert.Equal(3, schedule.WarmupSteps);
        Assert.Equal(0, schedule.FactorAt(0));
        Assert.Equal(1, schedule.FactorAt(3));
        Assert.InRange(schedule.FactorAt(99), 1e-9, 1e-3);
        Assert.Equal(0, schedule.FactorAt(100), 12);
    }

    [Theory]
    [InlineData(4361, 131)]
    [InlineData(2181, 66)]
    [InlineData(5198, 156)]
    [InlineData(625, 19)]
    [InlineData(4652, 140)]
    public void Warm_up_of_the_published_runs_is_theirs(int steps, int warmup) =>
        Assert.Equal(warmup, LearningRateSchedule.WarmupFor(0.03, steps));

    [Fact]
    public void Constant_then_linear_falls_over_the_last_share_only()
    {
        var schedule = new LearningRateSchedule { Steps = 100, Shape = LearningRateShape.ConstantThenLinear, DecayShare = 0.2 };

        Assert.Equal(1, schedule.FactorAt(79));
        Assert.Equal(0.5, schedule.FactorAt(90), 12);
        Assert.Equal(0, schedule.FactorAt(100), 12);
    }
}
