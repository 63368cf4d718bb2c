// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// What tokens do that are not to be trusted, one function for each; and a contract that passes coins on.
contract OddToken {
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    /// Answers false, moves nothing, and its transaction succeeds all the same.
    function refuse(address, uint256) external pure returns (bool) {
        return false;
    }

    /// Tells of a transfer that did not happen.
    function lie(address to, uint256 value) external {
        emit Transfer(msg.sender, to, value);
    }

    /// Keeps one per cent, and tells of the whole.
    function keep(address to, uint256 value) external {
        balanceOf[to] += value - value / 100;
        emit Transfer(msg.sender, to, value);
    }

    /// The same event with its value among the topics, as tokens have it that cannot be divided.
    function unique(address to, uint256 value) external {
        bytes32 topic = Transfer.selector;
        assembly {
            log4(0, 0, topic, caller(), to, value)
        }
    }

    /// Passes the coins that came with the call on to somebody.
    function pass(address to) external payable {
        (bool done,) = to.call{value: msg.value}("");
        require(done);
    }

    /// Takes no coins.
    receive() external payable {
        revert("no coins, please");
    }
}
