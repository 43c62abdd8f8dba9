Feature: Klarna decides on the initial authorization
  What the acquirer makes of the Partner's request, and of Klarna's decision.

  @AP-07 @AP-16
  Scenario: Klarna approves at once
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the amount and currency of the order reached Klarna
    And the acquirer responds that the payment is approved
    And the acquirer makes no second authorize

  @AP-17
  Scenario: Klarna declines
    Given a Partner with an order of 459.00 SEK
    And Klarna will decline the payment
    When the Partner creates the payment
    Then the acquirer responds that the payment is declined
    And the acquirer makes no second authorize

  @AP-07
  Scenario Outline: The amount is in the minor units of its currency: <amount>
    Given a Partner with an order of <amount>
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the amount and currency of the order reached Klarna

    Examples:
      | amount     |
      | 129.95 EUR |
      | 4590 JPY   |
      | 12.500 KWD |

  @AP-17 @AP-08
  Scenario: One of Klarna's test customers who is always declined
    Given a Partner with an order of 459.00 SEK
    And the customer is one whom Klarna's test environment always declines
    When the Partner creates the payment
    Then the acquirer responds that the payment is declined
    And the acquirer makes no second authorize

  @AP-15 @AP-08
  Scenario: One of Klarna's test customers who is always approved is asked all the same
    Given a Partner with an order of 459.00 SEK
    And the customer is one whom Klarna's test environment always approves
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved

  @AP-16 @sync_approval
  Scenario: What Klarna approves at once stands in the answer to the create call
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer responds at once that the payment is approved
