using System.Net;
using System.Net.Sockets;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Parallel;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training.Parallel;

public sealed class CollectiveTests
{
    public static TheoryData<int, bool> Groups => new() { { 2, false }, { 4, false }, { 2, true }, { 3, true } };

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Every_rank_gets_the_same_sum_made_in_the_order_of_ranks(int size, bool isTcp)
    {
        // 200,001 numbers are no multiple of anything, and more than one chunk.
        var values = Enumerable.Range(0, size).Select(rank => Drawn(rank, 200_001)).ToList();
        var expected = values.Aggregate(new float[200_001], (sum, next) => [.. sum.Zip(next, (a, b) => a + b)]);

        var sums = await Ranks.RunAsync(await GroupAsync(size, isTcp), ranks =>
        {
            using var mine = tensor(values[ranks.Rank]);
            ranks.AllReduce(mine);
            return mine.data<float>().ToArray();
        });

        Assert.All(sums, sum => Assert.True(expected.AsSpan().SequenceEqual(sum)));
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Each_rank_adds_its_part_of_the_sum_to_what_it_has(int size, bool isTcp)
    {
        const int Part = 100_003;
        var values = Enumerable.Range(0, size).Select(rank => Drawn(rank, size * Part)).ToList();

        var parts = await Ranks.RunAsync(await GroupAsync(size, isTcp), ranks =>
        {
            using var own = full(Part, 0.5f.ToScalar());
            using var mine = tensor(values[ranks.Rank]);
            ranks.ReduceScatter(mine, own);
            return own.data<float>().ToArray();
        });

        var expected = values.Aggregate(Enumerable.Repeat(0.5f, size * Part).ToArray(), (sum, next) => [.. sum.Zip(next, (a, b) => a + b)]);
        Assert.True(expected.AsSpan().SequenceEqual([.. parts.SelectMany(part => part)]));
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Parts_of_any_type_are_put_together_in_the_order_of_ranks_also_in_place(int size, bool isTcp)
    {
        var wholes = await Ranks.RunAsync(await GroupAsync(size, isTcp), ranks =>
        {
            using var scope = NewDisposeScope();
            var (bytes, longs) = (zeros(size * 3, ScalarType.Byte), zeros(size * 2, ScalarType.Int64));
            ranks.AllGather(tensor((byte[])[(byte)ranks.Rank, 7, 9]), bytes);
            var place = longs.narrow(0, ranks.Rank * 2, 2);
            place.copy_(tensor((long[])[ranks.Rank, -ranks.Rank]));
            ranks.AllGather(place, longs);
            ranks.Barrier();
            return (Bytes: bytes.data<byte>().ToArray(), Longs: longs.data<long>().ToArray());
        });

        Assert.All(wholes, whole => Assert.Equal(Enumerable.Range(0, size).SelectMany(rank => (byte[])[(byte)rank, 7, 9]), whole.Bytes));
        Assert.All(wholes, whole => Assert.Equal(Enumerable.Range(0, size).SelectMany(rank => (long[])[rank, -rank]), whole.Longs));
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Values_of_one_rank_reach_all(int size, bool isTcp)
    {
        var values = await Ranks.RunAsync(await GroupAsync(size, isTcp), ranks =>
        {
            using var mine = tensor(Drawn(ranks.Rank, 1000));
            ranks.Broadcast(mine, root: 1);
            return mine.data<float>().ToArray();
        });

        Assert.All(values, value => Assert.Equal(Drawn(1, 1000), value));
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task A_rank_that_leaves_is_named_to_those_who_wait_for_it(int size, bool isTcp)
    {
        var ranks = await GroupAsync(size, isTcp);
        ranks[1].Dispose();

        var error = await Assert.ThrowsAsync<RankLostException>(() => Task.Run(() =>
        {
            ranks[0].Barrier();
        }));

        Assert.Equal(1, error.Rank);
        Assert.Contains("Process 1 of the training run has left", error.Message, StringComparison.Ordinal);
        ranks.ToList().ForEach(rank => rank.Dispose());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rank_that_is_silent_for_too_long_is_named_with_the_time(bool isTcp)
    {
        var ranks = await GroupAsync(2, isTcp, TimeSpan.FromSeconds(0.4));

        var error = await Assert.ThrowsAsync<RankLostException>(() => Task.Run(() => ranks[0].Barrier()));

        Assert.Equal(1, error.Rank);
        Assert.Contains("has not answered for 0.4 seconds", error.Message, StringComparison.Ordinal);
        ranks.ToList().ForEach(rank => rank.Dispose());
    }

    [Fact]
    public async Task Strangers_are_turned_away_and_the_group_comes_together_all_the_same()
    {
        using TcpGroup group = new(2, Ranks.Patience);
        var invitation = group.InvitationFor(1);
        var meeting = group.MeetAsync();
        using Socket stranger = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await stranger.ConnectAsync(IPAddress.Loopback, invitation.Port);
        await stranger.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a stranger\r\n\r\n"u8.ToArray());

        var liar = await Assert.ThrowsAsync<RankLostException>(() => TcpGroup.JoinAsync(invitation with { Token = new string('0', invitation.Token.Length) }));
        using var joined = await TcpGroup.JoinAsync(invitation);
        using var opened = await meeting;

        Assert.Equal(0, liar.Rank);
        Assert.Equal(0, await ReadAsync(stranger));
        Assert.Equal((0, 2, 1, 2), (opened.Rank, opened.Size, joined.Rank, joined.Size));
    }

    [Fact]
    public async Task Ranks_that_do_not_come_are_named()
    {
        using TcpGroup group = new(3, TimeSpan.FromSeconds(0.4));
        var one = TcpGroup.JoinAsync(group.InvitationFor(1));

        var error = await Assert.ThrowsAsync<TrainingException>(() => group.MeetAsync());

        Assert.Contains("Of the 3 processes of the training run, 2 did not come within 0.4 seconds", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RankLostException>(() => one);
    }

    [Fact]
    public void A_machine_without_NCCL_says_what_is_missing_and_what_to_do()
    {
        if (System.Runtime.InteropServices.NativeLibrary.TryLoad("libnccl.so.2", out _))
        {
            Assert.NotNull(NcclLibrary.Instance);
            return;
        }

        Assert.Contains("'libnccl.so.2' is not found", Assert.Throws<TrainingException>(() => NcclLibrary.Instance).Message, StringComparison.Ordinal);
    }

    private static async Task<int> ReadAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]);
        }
        catch (SocketException)
        {
            // Closed with something unread.
            return 0;
        }
    }

    private static async Task<IReadOnlyList<ICollective>> GroupAsync(int size, bool isTcp, TimeSpan? deadline = null)
    {
        Native.TorchLibrary.EnsureLoaded();
        return isTcp ? await Ranks.OverTcpAsync(size, deadline) : Ranks.InProcess(size, deadline);
    }

    private static float[] Drawn(int seed, int count)
    {
        var random = new SeededRandom(seed, 0);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.Unit() - 0.5))];
    }
}
